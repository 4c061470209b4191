"""The photos of a store's validation and test splits, of which no model has learned, of the latter nothing at all."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.compute as pc

from pipelines.store import Store
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import RESOLVED_PHOTOS


@dataclass(frozen=True)
class Query:
    """A held-out photo of an item, and where its prepared form lies."""

    item_id: str
    role: str
    place: tuple[str, int]


def held_out(store: Store, run_id: str, split: str = "test") -> list[Query]:
    """Return every photo of a split, "val" or "test"."""
    done = store.read_json(f"runs/{run_id}/preprocess/manifest.json")["outputs"]
    found: list[Query] = []
    for bucket in range(int(store.read_json("format.json")["buckets"])):
        photos = read_bucket(store, done["photos"], bucket, RESOLVED_PHOTOS)
        asked = photos.filter((pc.field("code") == "") & (pc.field("split") == split))
        rows = asked.to_pylist()
        found += [Query(row["item_id"], row["role"], (row["image_unit"], row["image_row"])) for row in rows]
    return found
