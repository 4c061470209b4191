"""Which items a model has seen: their ids by bucket, beside the model, and how many of today's are not among them.

A copy, because the catalogue that a model was trained on may be collected long before the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.store import Store
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import bucket_name, read_bucket, write_bucket
from pipelines.tables.schemas import ITEMS

ID = ["item_id"]


@dataclass(frozen=True)
class News:
    """How many items a catalogue has, and how many of them a model has not seen."""

    items: int
    new: int

    @property
    def share(self) -> float:
        """Return new items as a share of all."""
        return self.new / max(1, self.items)


def keep_items(store: Store, catalogue_id: str, model_folder: str, buckets: int) -> int:
    """Write the ids of a catalogue's items to `<model_folder>/items/<bucket>.parquet`; return how many they are."""
    count = 0
    for bucket in range(buckets):
        ids = read_bucket(store, f"catalogue/{catalogue_id}/items", bucket, ITEMS, ID)
        write_bucket(store, f"{model_folder}/items", bucket, ids)
        count += ids.num_rows
    return count


def count_new_items(store: Store, catalogue_id: str, model_folder: str, buckets: int) -> News | None:
    """Return how many of a catalogue's items the model has not seen; None where the model keeps no ids."""
    if not store.exists(f"{model_folder}/items/{bucket_name(0)}"):
        return None
    items = new = 0
    for bucket in range(buckets):
        today = read_bucket(store, f"catalogue/{catalogue_id}/items", bucket, ITEMS, ID)["item_id"]
        seen = read_bucket(store, f"{model_folder}/items", bucket, ITEMS, ID)["item_id"]
        items += len(today)
        new += int(np.count_nonzero(index_of(today, seen) < 0))
    return News(items, new)
