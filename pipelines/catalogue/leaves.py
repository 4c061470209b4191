"""Slots for the categories of a catalogue that was made before leaves had slots of their own."""

from __future__ import annotations

from pipelines.store import Store
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.taxonomy import Values, extend_taxonomy, values_of, without_slot


def ensure_leaves(store: Store, catalogue_id: str, buckets: int) -> int:
    """Give a slot to every category of a catalogue that has none; return how many. A catalogue is looked at once.

    One that has another name since keeps its slot under that name, and gets none.
    """
    done = f"catalogue/{catalogue_id}/leaves.json"
    if store.exists(done):
        return 0
    found: set[Values] = set()
    for bucket in range(buckets):
        paths = read_bucket(store, f"catalogue/{catalogue_id}/items", bucket, ITEMS, ["category"])["category"]
        found.update(value for path in set(map(tuple, paths.to_pylist())) for value in values_of(path))
    count = extend_taxonomy(store, without_slot(store, found))
    store.create_json(done, {"values": len(found)})
    return count
