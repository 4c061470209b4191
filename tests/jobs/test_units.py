"""Plans and units of units."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import StageError
from pipelines.jobs import units
from pipelines.jobs.units import TodoBucket
from pipelines.store import NotFoundError, Store, open_store

SCHEMA = pa.schema([("key", pa.string())])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def rows(*keys: str) -> pa.Table:
    return pa.table({"key": list(keys)}, SCHEMA)


def test_ten_rows_in_units_of_at_most_four_are_three_nearly_equal_units() -> None:
    # 10 rows, 3 units: the ends are 10 // 3 = 3, 20 // 3 = 6 and 10
    made = units.cut([TodoBucket(2, 6, "b"), TodoBucket(0, 4, "a"), TodoBucket(1, 0, "none")], 4)
    assert [unit.parts for unit in made] == [
        (("00000-a", 0, 3),),
        (("00000-a", 3, 4), ("00002-b", 0, 2)),
        (("00002-b", 2, 6),),
    ]
    assert [unit.rows for unit in made] == [3, 3, 4]


def test_nothing_to_do_is_no_unit() -> None:
    assert units.cut([], 4) == []
    assert units.cut([TodoBucket(0, 0, "a")], 4) == []


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(1, 20))
def test_every_row_is_in_exactly_one_unit(sizes: list[int], rows_a_unit: int) -> None:
    buckets = [TodoBucket(i, size, str(i)) for i, size in enumerate(sizes)]
    made = units.cut(buckets, rows_a_unit)
    covered = [(int(name[:5]), row) for unit in made for name, start, stop in unit.parts for row in range(start, stop)]
    assert covered == [(i, row) for i, size in enumerate(sizes) for row in range(size)]
    assert all(0 < unit.rows <= rows_a_unit for unit in made)
    assert max((u.rows for u in made), default=0) - min((u.rows for u in made), default=0) <= 1
    assert len({unit.unit_id for unit in made}) == len(made)


def test_unit_ids_name_the_rows() -> None:
    same = units.cut([TodoBucket(0, 4, "a"), TodoBucket(1, 4, "b")], 4)
    assert units.cut([TodoBucket(1, 4, "b"), TodoBucket(0, 4, "a")], 4) == same
    changed = units.cut([TodoBucket(0, 4, "a"), TodoBucket(1, 4, "c")], 4)
    assert changed[0] == same[0]
    assert changed[1].unit_id != same[1].unit_id


def test_a_plan_reads_back_with_its_facts_and_rows(store: Store) -> None:
    todo = [units.write_todo(store, "runs/r/embed", i, rows(*keys)) for i, keys in enumerate([("a", "b", "c"), ("d",)])]
    assert [b.rows for b in todo] == [3, 1]
    made = units.cut(todo, 2)
    units.write_plan(store, "runs/r/embed", made, skipped=7)
    assert units.read_plan(store, "runs/r/embed") == (made, {"skipped": 7})
    done = [units.read_work(store, "runs/r/embed", unit)["key"].to_pylist() for unit in made]
    assert done == [["a", "b"], ["c", "d"]]


def test_a_retried_bucket_has_the_same_checksum(store: Store) -> None:
    first = units.write_todo(store, "p", 0, rows("a", "b"))
    assert units.write_todo(store, "p", 0, rows("a", "b")) == first
    assert units.write_todo(store, "q", 0, rows("a", "c")).checksum != first.checksum


def test_reading_a_plan_that_is_not_complete_removes_nothing(store: Store) -> None:
    todo = units.write_todo(store, "runs/r/embed", 0, rows("a"))
    before = {entry.name for entry in store.list("runs")}
    assert units.read_plan(store, "runs/r/embed") is None
    assert {entry.name for entry in store.list("runs")} == before
    assert units.read_work(store, "runs/r/embed", units.cut([todo], 1)[0])["key"].to_pylist() == ["a"]


def test_a_retry_that_finds_other_rows_harms_neither_plan(store: Store) -> None:
    first, second = (units.write_todo(store, "p", 0, rows(key)) for key in ("a", "b"))
    for todo, key in ((first, "a"), (second, "b")):
        assert units.read_work(store, "p", units.cut([todo], 1)[0])["key"].to_pylist() == [key]


def test_a_plan_that_is_gone_is_said(store: Store) -> None:
    todo = units.write_todo(store, "p", 3, rows("a"))
    unit = units.cut([todo], 2)[0]
    store.delete(f"p/plan/todo/{todo.name}.parquet")
    with pytest.raises(NotFoundError, match=f"the plan p/plan of unit {unit.unit_id} is gone; start a new run"):
        units.read_work(store, "p", unit)


class OneCluster:
    """Jobs on a cluster: those of `running` still run, and end well when they are waited for."""

    def __init__(self, *running: str) -> None:
        self.running, self.ran, self.joined = set(running), list[str](), list[str]()

    def join(self, step: str) -> bool:
        if step not in self.running:
            return False
        self.joined.append(step)
        return True

    def run(self, step: str, build: Callable[[Any], Any]) -> None:
        self.ran.append(step)
        build(None)


def planned(store: Store, jobs: OneCluster, *, fails: bool = False) -> str:
    def build(_: Any, findings: str) -> None:
        store.create(f"{findings}/00000.json", b"{}")
        if fails:
            raise StageError("the power went")

    return units.run_plan(store, "p", jobs, build)  # type: ignore[arg-type]


def test_the_planning_job_of_the_last_attempt_is_waited_for_while_it_runs(store: Store) -> None:
    with pytest.raises(StageError):
        planned(store, OneCluster(), fails=True)
    jobs = OneCluster("plan-1")
    assert planned(store, jobs) == "p/plan/1"
    assert (jobs.joined, jobs.ran) == (["plan-1"], [])


def test_an_attempt_after_one_that_ended_shares_nothing_with_it(store: Store) -> None:
    with pytest.raises(StageError):
        planned(store, OneCluster(), fails=True)
    assert planned(store, OneCluster()) == "p/plan/2"
    assert store.exists("p/plan/1/00000.json")
    jobs = OneCluster("plan-1")  # one that the cluster showed late: nobody reads what it finds
    assert planned(store, jobs) == "p/plan/3"
    assert (jobs.joined, jobs.ran) == ([], ["plan-3"])
