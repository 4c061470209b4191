"""Hiding: idempotent, safe beside other writers, ids as the catalogue has them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.hidden import read_hidden
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.hidden.settled import checksum, hidden_now, settle, settled, without
from pipelines.store import Log, NotFoundError, StoreError, initialise
from pipelines.store.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    initialise(store, 4)
    return store


def test_what_is_so_already_is_noted_nowhere(store: FolderStore) -> None:
    assert change(store, HIDE, ["a", "b"], "sold").changed == ("a", "b")
    again = change(store, HIDE, ["a", "b"], "sold again")
    assert (again.number, again.changed, again.unchanged) == (1, (), 2)
    both = change(store, HIDE, ["b", "c"], "sold")
    assert (both.number, both.changed, both.unchanged) == (2, ("c",), 1)
    assert change(store, UNHIDE, ["never"], "").unchanged == 1
    assert Log(store, "hidden").head()[0] == 2
    assert read_hidden(store).item_ids == {"a", "b", "c"}


def test_writers_at_once_lose_nothing(store: FolderStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: change(store, HIDE, [f"i{n}", "of all"], "sold"), range(40)))
    assert read_hidden(store).item_ids == {*(f"i{n}" for n in range(40)), "of all"}
    assert sorted(one.number for one in done) == list(range(1, 41))
    assert sum("of all" in one.changed for one in done) == 1


def test_a_place_that_is_no_store_is_not_made_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a store yet"):
        change(FolderStore(tmp_path / "typo"), HIDE, ["a"], "sold")
    assert not (tmp_path / "typo").exists()


def test_a_run_keeps_to_what_it_found_first(store: FolderStore) -> None:
    change(store, HIDE, ["b", "a"], "sold")
    assert settle(store, "runs/r/index/hidden.parquet")["item_id"].to_pylist() == ["a", "b"]
    change(store, HIDE, ["c"], "sold")
    assert settle(store, "runs/r/index/hidden.parquet")["item_id"].to_pylist() == ["a", "b"]
    assert settled(store, "runs/r/index/hidden.parquet").num_rows == 2
    assert settled(store, "").num_rows == 0
    with pytest.raises(NotFoundError, match="start a new run"):
        settled(store, "runs/gone/index/hidden.parquet")


def test_a_set_is_told_from_another_and_from_none(store: FolderStore) -> None:
    nothing = hidden_now(store)
    assert checksum(nothing) == ""
    change(store, HIDE, ["a"], "sold")
    one = hidden_now(store)
    change(store, HIDE, ["b"], "sold")
    two = hidden_now(store)
    change(store, UNHIDE, ["b"], "")
    assert checksum(hidden_now(store)) == checksum(one) != checksum(two)
    table = pa.table({"item_id": ["a", "b", "a", "c"]})
    assert without(table, two)["item_id"].to_pylist() == ["c"]
    assert without(table, nothing) == table
