"""What is news to a model: items that it has not seen, and items with a label that it could not learn and now could.

That a label can be learned is told by one count, today's as that of the day when the model was trained: what cannot be
learned for another reason is no news a second time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.store import Store
from pipelines.tables.arrays import Array
from pipelines.tables.arrow import flat, index_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.taxonomy import LEAF, former_leaves
from pipelines.train.labels import item_labels, label_columns, read_labels
from pipelines.train.seen import corrected_items, seen_corrected, seen_items

Labels = Mapping[str, AbstractSet[str]]
"""Values by column: `leaf`, and `attr_<name>` of each attribute that gets a head."""


@dataclass(frozen=True)
class Place:
    """Where today's items and photos are: the store, the catalogue's folder, the resolved photos' and their buckets."""

    store: Store
    catalogue: str
    photos: str
    buckets: int


@dataclass(frozen=True)
class News:
    """How many items a catalogue has, and how many a model has not seen.

    Of the others, how many have a label that it could learn now, and of the rest how many the shop has corrected since.
    """

    items: int
    unseen: int
    relabelled: int = 0
    corrected: int = 0

    def plus(self, other: News) -> News:
        """Return the sums."""
        return News(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def share(self) -> float:
        """Return the items that are news as a share of all."""
        return (self.unseen + self.relabelled + self.corrected) / max(1, self.items)


def learnable_labels(place: Place, attributes: Sequence[str], floor: int, attribute_floor: int) -> Labels:
    """Return the leaves of at least `floor` photos to learn from, and the attribute values of `attribute_floor`."""
    floors = dict.fromkeys(label_columns(attributes), attribute_floor) | {LEAF: floor}
    counts: dict[str, Counter[str]] = {name: Counter() for name in label_columns(attributes)}
    for bucket in range(place.buckets):
        rows = read_labels(place.store, place.photos, place.catalogue, bucket, attributes)
        rows = rows.filter(pc.field("split") == "train")
        for name, counter in counts.items():
            found = rows.filter(rows[name].is_valid()).group_by(name).aggregate([("digest", "count_distinct")])
            counter.update(dict(zip(found[name].to_pylist(), found["digest_count_distinct"].to_pylist(), strict=True)))
    return {
        name: {value for value, count in counter.items() if count >= floors[name]} for name, counter in counts.items()
    }


def count_news(place: Place, model_folder: str, labels: Labels, attributes: Sequence[str]) -> News:
    """Return how many of a catalogue's items are news to a model; `labels` are those that it could learn now."""
    news, former = News(0, 0), former_leaves(place.store)
    for bucket in range(place.buckets):
        table = read_bucket(
            place.store, f"{place.catalogue}/items", bucket, ITEMS, ["item_id", "category", "attributes"]
        )
        seen = seen_items(place.store, model_folder, bucket)
        new = np.zeros(len(table), bool) if seen is None else index_of(table["item_id"], seen["item_id"]) < 0
        could = ~new & _has_any(item_labels(table, attributes), labels) if any(labels.values()) else np.zeros_like(new)
        before = seen_corrected(place.store, model_folder, bucket)
        today = corrected_items(place.store, place.catalogue, bucket)
        corrected = ~new & ~could & _otherwise(table, before, today, attributes, former)
        counts = (int(np.count_nonzero(mask)) for mask in (new, could, corrected))
        news = news.plus(News(len(table), *counts))
    return news


def _otherwise(
    items: pa.Table, before: pa.Table, today: pa.Table, attributes: Sequence[str], former: Mapping[str, str]
) -> Array:
    """Return which items have other labels than they had when a model was trained, for they were corrected or are.

    What was not corrected then was as its feed said, and that is not kept: it counts as other than the correction.
    """
    at = index_of(items["item_id"], pa.concat_tables([before, today])["item_id"])
    places = np.flatnonzero(at >= 0)
    was = index_of(items["item_id"].take(pa.array(places)), before["item_id"])
    then = item_labels(before, attributes).to_pylist()
    now = item_labels(items.take(pa.array(places)), attributes).to_pylist()
    found = np.zeros(len(items), bool)
    for place, old, new in zip(places, was, now, strict=True):
        found[place] = old < 0 or _renamed(then[old], former) != new
    return found


def _renamed(labels: Mapping[str, str | None], former: Mapping[str, str]) -> Mapping[str, str | None]:
    """Return labels with the name that a leaf has now."""
    leaf = labels[LEAF]
    return {**labels, LEAF: former.get(leaf, leaf) if leaf else leaf}


def _has_any(labels: pa.Table, wanted: Labels) -> Array:
    found = np.zeros(len(labels), bool)
    for name, values in wanted.items():
        inside = pc.is_in(labels[name], value_set=pa.array(sorted(values), pa.string()))
        found |= np.asarray(flat(inside))
    return found
