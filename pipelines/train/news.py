"""What is news to a model: items that it has not seen, and items with a label that it did not learn and now could."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.store import Store
from pipelines.tables.arrays import Array
from pipelines.tables.arrow import flat, index_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.train.labels import item_labels, label_columns, read_labels
from pipelines.train.seen import seen_items

Labels = Mapping[str, AbstractSet[str]]
"""Values by column: `leaf`, and `attr_<name>` of each attribute that gets a head."""


@dataclass(frozen=True)
class News:
    """How many items a catalogue has, how many a model has not seen, and how many more have a label it could learn."""

    items: int
    unseen: int
    relabelled: int = 0

    @property
    def share(self) -> float:
        """Return the items that are news as a share of all."""
        return (self.unseen + self.relabelled) / max(1, self.items)


def known_labels(facts: Mapping[str, Any], taxonomy: Mapping[str, Any]) -> Labels:
    """Return the labels that a model has learned, by its `model.json` and `taxonomy.json`."""
    learned = [set(slots) for slots in facts["trained"]]
    levels = zip(taxonomy["levels"], learned, strict=False)
    leaves = {value for level, slots in levels for value, slot in level.items() if slot in slots}
    return {"leaf": leaves} | {f"attr_{name}": set(values) for name, values in facts["attributes"].items()}


def count_news(
    store: Store, catalogue: str, model_folder: str, buckets: int, labels: Labels, attributes: Sequence[str]
) -> News:
    """Return how many of a catalogue's items are news to a model; `labels` are those that it could learn now."""
    items = unseen = relabelled = 0
    for bucket in range(buckets):
        table = read_bucket(store, f"{catalogue}/items", bucket, ITEMS, ["item_id", "category", "attributes"])
        seen = seen_items(store, model_folder, bucket)
        new = np.zeros(len(table), bool) if seen is None else index_of(table["item_id"], seen["item_id"]) < 0
        items += len(table)
        unseen += int(np.count_nonzero(new))
        if any(labels.values()):
            relabelled += int(np.count_nonzero(~new & _has_any(item_labels(table, attributes), labels)))
    return News(items, unseen, relabelled)


def learnable_labels(
    store: Store, catalogue: str, photos: str, buckets: int, known: Labels, attributes: Sequence[str], floor: int
) -> Labels:
    """Return the labels that are not known and have at least `floor` photos to learn from."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in label_columns(attributes)}
    for bucket in range(buckets):
        rows = read_labels(store, photos, catalogue, bucket, attributes).filter(pc.field("split") == "train")
        for name, counter in counts.items():
            unknown = rows.filter(_outside(rows[name], known.get(name, ())))
            found = unknown.group_by(name).aggregate([("digest", "count_distinct")])
            counter.update(dict(zip(found[name].to_pylist(), found["digest_count_distinct"].to_pylist(), strict=True)))
    return {name: {value for value, count in counter.items() if count >= floor} for name, counter in counts.items()}


def _outside(values: pa.ChunkedArray, known: AbstractSet[str] | Sequence[str]) -> pa.ChunkedArray:
    inside = pc.is_in(values, value_set=pa.array(sorted(known), pa.string()))
    return pc.and_(values.is_valid(), pc.invert(inside))


def _has_any(labels: pa.Table, wanted: Labels) -> Array:
    found = np.zeros(len(labels), bool)
    for name, values in wanted.items():
        inside = pc.is_in(labels[name], value_set=pa.array(sorted(values), pa.string()))
        found |= np.asarray(flat(inside))
    return found
