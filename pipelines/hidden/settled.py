"""The hidden items of one run: the log as its index stage first found it, so that a rerun finds the same.

They stand in one object of the run, which later stages read: what is measured is what was built.
"""

from __future__ import annotations

import hashlib

import pyarrow as pa

from pipelines.hidden.state import read_hidden
from pipelines.store import NotFoundError, Store
from pipelines.tables.arrow import index_of, to_ipc
from pipelines.tables.buckets import read_parquet, write_parquet

IDS = pa.schema([("item_id", pa.string())])


def hidden_now(store: Store) -> pa.Table:
    """Return the items that are hidden now (IDS, sorted)."""
    return pa.table([sorted(read_hidden(store).items)], schema=IDS)


def settle(store: Store, name: str) -> pa.Table:
    """Return a run's hidden items (IDS, sorted), which the first call writes to `name`."""
    if not store.exists(name):
        write_parquet(store, name, hidden_now(store))
    return read_parquet(store, name)


def settled(store: Store, name: str) -> pa.Table:
    """Return what was settled at `name`; nothing for "", of a run that had no such list yet."""
    if not name:
        return IDS.empty_table()
    try:
        return read_parquet(store, name)
    except NotFoundError as error:
        raise NotFoundError(f"{error}: the index stage of its run wrote it; start a new run") from error


def checksum(hidden: pa.Table) -> str:
    """Return what tells one set of items from another, "" for none."""
    return hashlib.sha256(to_ipc(hidden)).hexdigest()[:16] if hidden.num_rows else ""


def without(table: pa.Table, hidden: pa.Table) -> pa.Table:
    """Return the rows of a table, which has a column `item_id`, that are of no hidden item."""
    return table.filter(pa.array(index_of(table["item_id"], hidden["item_id"]) < 0))
