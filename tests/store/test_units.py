"""Unit tables: a unit is there whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.store import NotFoundError, Store, StoreError, UnitTable, unit_id_of

KILLED = """
import sys
import pyarrow as pa
from pipelines.store import UnitTable, open_store
table, i = UnitTable(open_store(sys.argv[1]), "units"), 0
data = pa.table({"value": pa.array([b"x" * 1000] * 300)})
print("ready", flush=True)
while True:
    table.commit(f"{i:016x}", pa.table({"key": list(range(300)), "code": [""] * 300, "row": list(range(300))}), data)
    i += 1
"""


def keys(rows: list[int]) -> pa.Table:
    return pa.table({"key": [f"k{r}" for r in rows], "code": [""] * len(rows), "row": pa.array(rows, pa.int32())})


def data(values: list[int]) -> pa.Table:
    return pa.table({"value": values, "text": [f"t{v}" for v in values]})


def files(store: Store) -> list[str]:
    return sorted(entry.name for entry in store.list("units"))


def test_unit_id_depends_on_the_set_of_keys_only() -> None:
    assert unit_id_of(["b", "a"]) == unit_id_of([b"a", b"b"])
    assert unit_id_of(["ab", "c"]) != unit_id_of(["a", "bc"])
    # sha256 of the length 1 as four big-endian bytes and "a"
    assert unit_id_of(["a"]) == __import__("hashlib").sha256(b"\x00\x00\x00\x01a").hexdigest()[:16]


def test_a_commit_reads_back(store: Store) -> None:
    table = UnitTable(store, "units")
    assert table.commit("00aa", keys([0, 1, -1]), data([10, 11])) is True
    assert table.unit_ids() == ["00aa"]
    assert table.has("00aa") and not table.has("00bb")
    assert table.read_keys("00aa")["row"].to_pylist() == [0, 1, -1]
    assert table.read_rows("00aa").to_pydict() == {"value": [10, 11], "text": ["t10", "t11"]}
    table.verify("00aa")


def test_a_unit_is_rewritten_with_fewer_keys_in_one_step(store: Store) -> None:
    table = UnitTable(store, "units")
    table.commit("00aa", keys([0, 1, 2]), data([10, 11, 12]), row_group_rows=2)
    old, blank = table.data_name("00aa"), pa.table({"value": [10, None, 12], "text": ["t10", None, "t12"]})
    table.rewrite("00aa", keys([0, 2]), blank)
    assert table.data_name("00aa") != old
    assert files(store) == sorted(["units/00aa.keys.parquet", table.data_name("00aa")])
    table.verify("00aa")
    assert table.read_keys("00aa")["key"].to_pylist() == ["k0", "k2"]
    assert table.read_rows("00aa", [2, 0])["value"].to_pylist() == [12, 10]
    with store.open(table.data_name("00aa")) as file:
        assert pq.ParquetFile(file).metadata.num_row_groups == 2


def test_a_unit_of_rejects_alone_is_rewritten(store: Store) -> None:
    table = UnitTable(store, "units")
    table.commit("00aa", keys([-1, -1]))
    table.rewrite("00aa", keys([-1]), None)
    assert table.read_keys("00aa").num_rows == 1
    table.verify("00aa")


def test_a_commit_lost_to_another_leaves_nothing_behind(store: Store) -> None:
    table = UnitTable(store, "units")
    table.commit("00aa", keys([0]), data([1]))
    before = files(store)
    assert table.commit("00aa", keys([0]), data([2])) is False
    assert files(store) == before
    assert table.read_rows("00aa")["value"].to_pylist() == [1]


def test_data_without_keys_is_not_a_unit(store: Store) -> None:
    store.create("units/00aa-0123456789ab.parquet", b"half")
    table = UnitTable(store, "units")
    assert table.unit_ids() == []
    assert not table.has("00aa")


def test_a_killed_committer_leaves_whole_units_only(store: Store) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, store.uri], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    __import__("time").sleep(0.3)
    process.kill()
    process.communicate()
    table = UnitTable(store, "units")
    assert table.unit_ids()
    for unit_id in table.unit_ids():
        table.verify(unit_id)
        assert table.read_rows(unit_id, [299])["value"].to_pylist() == [b"x" * 1000]


def test_rows_come_in_the_order_asked_for_across_row_groups(store: Store) -> None:
    table = UnitTable(store, "units")
    table.commit("00aa", keys(list(range(10))), data(list(range(10))), row_group_rows=3)
    wanted = [9, 0, 4, 4, 2, 8]
    assert table.read_rows("00aa", wanted)["value"].to_pylist() == wanted
    assert table.read_rows("00aa", [7], ["text"]).to_pydict() == {"text": ["t7"]}
    assert table.read_rows("00aa", [], ["text"]).to_pydict() == {"text": []}


@pytest.mark.parametrize("row", [-1, 10, 12])
def test_rows_outside_the_unit_are_refused(store: Store, row: int) -> None:
    table = UnitTable(store, "units")
    table.commit("00aa", keys(list(range(10))), data(list(range(10))), row_group_rows=3)
    with pytest.raises(IndexError, match=rf"row {row} is asked for of a unit that holds 10 rows"):
        table.read_rows("00aa", [0, row])


def test_a_unit_of_rejects_only_has_no_data(store: Store) -> None:
    table = UnitTable(store, "units")
    rejected = pa.table({"key": ["k"], "code": ["truncated"], "row": pa.array([-1], pa.int32())})
    assert table.commit("00cc", rejected) is True
    assert table.read_keys("00cc")["code"].to_pylist() == ["truncated"]
    table.verify("00cc")
    with pytest.raises(NotFoundError, match=r"unit 00cc of .*units has no data: all its keys are rejects"):
        table.read_rows("00cc")


def test_a_unit_that_is_not_there(store: Store) -> None:
    for read in (UnitTable(store, "units").read_keys, UnitTable(store, "units").read_rows):
        with pytest.raises(NotFoundError, match=r"holds no object 'units/00dd\.keys\.parquet'; if it was deleted"):
            read("00dd")


def test_damage_names_the_file_and_the_repair(store: Store) -> None:
    table = UnitTable(store, "units")
    table.commit("00aa", keys([0]), data([1]))
    name = table.data_name("00aa")
    store.put(name, store.read(name)[:-20])
    repair = rf"delete {store.uri}/units/00aa\.keys\.parquet, and a new run makes the unit again"
    with pytest.raises(StoreError, match=rf"{name} is damaged .*; {repair}"):
        table.read_rows("00aa")
    with pytest.raises(StoreError, match=rf"{name} does not match its checksum; {repair}"):
        table.verify("00aa")


def test_a_flipped_byte_is_found_by_verify(store: Store) -> None:
    table = UnitTable(store, "units")
    table.commit("00aa", keys([0]), data([1]))
    name = table.data_name("00aa")
    content = bytearray(store.read(name))
    content[10] ^= 1
    store.put(name, bytes(content))
    with pytest.raises(StoreError, match="does not match its checksum"):
        table.verify("00aa")


def test_damaged_keys_are_named_by_every_reader(store: Store) -> None:
    store.create("units/00aa.keys.parquet", b"PAR1 is not enough")
    table = UnitTable(store, "units")
    for read in (table.read_keys, table.read_rows, table.verify, table.data_name):
        with pytest.raises(StoreError, match=r"00aa\.keys\.parquet is damaged .*; delete .*00aa\.keys\.parquet, and"):
            read("00aa")


def test_data_on_disk_is_readable_by_others(store: Store, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = UnitTable(store, "units")
    table.commit("00aa", keys([0, 1]), data([5, 6]))
    with store.stage_in(table.data_name("00aa")) as path:
        assert pq.read_table(path)["value"].to_pylist() == [5, 6]
