"""Tables as Parquet: the same table back, and no thread of Arrow's that could outlive the interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.store import parquet

TABLE = pa.table({"id": ["a", "b", None], "n": [1, 2, 3], "list": [["x"], [], None]})


def test_a_table_comes_back_as_it_was() -> None:
    assert parquet.decoded(parquet.encoded(TABLE)).equals(TABLE)
    assert parquet.decoded(parquet.encoded(TABLE), ["n"]).equals(TABLE.select(["n"]))
    file = parquet.opened(pa.BufferReader(parquet.encoded(TABLE, row_group_rows=1)))
    assert parquet.read(file, ["id"], [2, 0]).to_pydict() == {"id": [None, "a"]}
    with pytest.raises((pa.ArrowException, OSError)):
        parquet.decoded(b"PAR1 no more")


READ = """
import io, os, sys
import pyarrow as pa
from pipelines.store import UnitTable, open_store, parquet
from pipelines.tables.buckets import read_parquet
from pipelines.catalogue.formats.parquet import read_parquet as read_feed
from pipelines.catalogue.formats.base import Columns
store = open_store(sys.argv[1])
units = UnitTable(store, "units")
columns = {f"c{n}": list(range(1000)) for n in range(8)}
table = pa.table(columns)
units.commit("u", table, table, row_group_rows=100)
store.create("t.parquet", parquet.encoded(table, row_group_rows=100))
before = len(os.listdir("/proc/self/task"))
for _ in range(3):
    assert units.read_keys("u").num_rows == units.read_rows("u").num_rows == 1000
    assert units.read_rows("u", [999, 0], ["c1"]).to_pydict() == {"c1": [999, 0]}
    assert read_parquet(store, "t.parquet").equals(table)
    with store.open("t.parquet") as file:
        assert sum(1 for _ in read_feed(file, Columns(read=frozenset(columns)))) == 1000
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_no_thread_of_arrows_reads_what_is_pythons(tmp_path: Path) -> None:
    """Such a thread may abort the process while it ends: `trace` did in one of ten runs on a busy machine."""
    done = subprocess.run([sys.executable, "-c", READ, str(tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "0"
