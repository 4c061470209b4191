"""Groups of items that must stay on one side of a split, and their splits. Pure.

Items start under a label made of their title. A key (a group_id, a photo, a near-duplicate) under several labels
links them; what is linked, over any number of steps, is one group under its smallest label. No chain escapes, because
the links, and they alone, come together on one worker: some 200 bytes of its memory each, at most one a title and a
photo or group_id of several titles, and 16 bytes a title of several items.

A group holds no more than a set share of the shop. A title, a photo or a group_id that more items have (a placeholder)
says nothing of what belongs together: it is common, and links nothing. A chain that would hold more is cut at its
weakest links: those between photos that only look alike, then those by equal photos.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tables.alike import binary, numbers
from pipelines.tables.arrow import index_of
from pipelines.tables.variants import group_key, item_key, short_hash

TITLE, GROUP, PHOTO, LOOK = range(4)
COUNTED = pa.schema([("key", pa.binary(8)), ("kind", pa.int8()), ("item", pa.binary(8)), ("leaf", pa.binary(8))])
COMMON = pa.schema([("key", pa.binary(8)), ("kind", pa.int8()), ("items", pa.int64()), ("leaves", pa.int64())])
KEYED = pa.schema([("key", pa.binary(8)), ("kind", pa.int8()), ("label", pa.binary(8))])
LINKS = pa.schema([("label", pa.binary(8)), ("other", pa.binary(8)), ("weakness", pa.int8())])
SIZES = pa.schema([("label", pa.binary(8)), ("items", pa.int64())])
SMALLEST_LIMIT = 10
"""A group of so many items may be any share of a shop that is that small."""

Ints = npt.NDArray[np.int64]


def own_label(item_id: str, group_id: str, title: str) -> bytes:
    """Return the 8-byte label of an item's title (case and spaces ignored), or of its group_id, or of itself."""
    words = " ".join(title.casefold().split())
    return short_hash(f"title:{words}") if words else group_key(group_id) or item_key(item_id)


def most_items(share: float, items: int) -> int:
    """Return how many items a group may hold."""
    return max(SMALLEST_LIMIT, int(share * items))


def common_keys(counted: pa.Table, most: int, most_of_photo: int | None = None) -> pa.Table:
    """Return COMMON: the keys (COUNTED, whole) that more than `most` items have, and how many, of how many leaves.

    Of a photo or its look `most_of_photo` is the limit too, where it is given.
    """
    distinct = [("item", "count_distinct"), ("leaf", "count_distinct")]
    counts = counted.group_by(["key", "kind"]).aggregate(distinct).rename_columns(COMMON.names)
    held = pc.greater(counts["items"], most)
    if most_of_photo is not None:
        of_photo = pc.is_in(counts["kind"], value_set=pa.array([PHOTO, LOOK], pa.int8()))
        held = pc.or_(held, pc.and_(of_photo, pc.greater(counts["items"], most_of_photo)))
    return counts.filter(held).cast(COMMON)


def without_common(rows: pa.Table, common: pa.Table) -> pa.Table:
    """Return rows whose common keys are null, and whose label, if it is common, is their group_id's or their own."""
    held = common["key"].combine_chunks()
    kept = {name: _unless(rows[name], held) for name in ("group_key", "photo_key", "phash")}
    label = pc.coalesce(_unless(rows["label"], held), kept["group_key"], rows["item_key"].combine_chunks())
    for name, values in {**kept, "label": label}.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows


def _unless(values: pa.ChunkedArray, common: pa.Array) -> pa.Array:
    flat = values.combine_chunks()
    return pc.if_else(pc.is_in(flat, value_set=common), pa.scalar(None, flat.type), flat)


def find_links(keyed: pa.Table) -> pa.Table:
    """Return LINKS between the labels (KEYED) of each key: each but the smallest with the smallest, once."""
    keys, labels = numbers(keyed["key"]), numbers(keyed["label"])
    kinds = keyed["kind"].to_numpy()
    order = np.lexsort((labels, keys))
    keys, labels, kinds = keys[order], labels[order], kinds[order]
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    smallest = labels[first][np.cumsum(first) - 1]
    apart = labels != smallest
    links = np.unique(np.stack([labels[apart], smallest[apart], kinds[apart].astype(np.uint64)], axis=1), axis=0)
    return pa.table([binary(links[:, 0]), binary(links[:, 1]), pa.array(links[:, 2].astype(np.int8))], LINKS)


def smallest_of_linked(links: pa.Table, sizes: pa.Table, most: int) -> tuple[pa.Table, int]:
    """Return LINKS from every linked label, but the smallest of a group, to the smallest that it is linked with.

    `sizes` (SIZES) says how many items have a label, if it is more than one. What would hold more than `most` items is
    joined link by link, the strongest first, as far as it may be; the second value counts the links that were not.
    """
    ends = np.stack([numbers(links["label"]), numbers(links["other"])])
    labels, places = np.unique(ends, return_inverse=True)
    pairs = places.reshape(2, -1)
    items = _items(labels, sizes)
    found = _joined(pairs, len(labels))
    large = np.bincount(found, weights=items, minlength=len(labels)) > most
    left = np.flatnonzero(large[found[pairs[0]]])
    refused = 0
    if len(left):
        found[large[found]] = np.flatnonzero(large[found])
        strength = np.argsort(links["weakness"].to_numpy()[left], kind="stable")
        refused = _join_up_to(found, items, pairs[:, left[strength]], most)
    moved = found != np.arange(len(labels))
    weakness = pa.array(np.zeros(moved.sum(), np.int8))
    return pa.table([binary(labels[moved]), binary(labels[found[moved]]), weakness], LINKS), refused


def _items(labels: npt.NDArray[np.uint64], sizes: pa.Table) -> Ints:
    items = np.ones(len(labels), np.int64)
    known = numbers(sizes["label"])
    at = np.searchsorted(labels, known)
    there = at < len(labels)
    there[there] = labels[at[there]] == known[there]
    items[at[there]] = sizes["items"].to_numpy()[there]
    return items


def _joined(pairs: Ints, count: int) -> Ints:
    """Return the smallest place that each is linked with.

    All are joined along all links at once and then point at where their place points, until nothing moves.
    """
    one, other = pairs
    found = np.arange(count)
    while (apart := found[one] != found[other]).any():
        low, high = np.sort(np.stack([found[one[apart]], found[other[apart]]]), axis=0)
        np.minimum.at(found, high, low)
        while (found[found] != found).any():
            found = found[found]
    return found


def _join_up_to(found: Ints, items: Ints, pairs: Ints, most: int) -> int:
    """Join places in `found`, link by link, where they then hold at most `most` items; return how many were not."""
    held, refused = items.copy(), 0

    def root(place: int) -> int:
        while found[place] != place:
            found[place] = found[found[place]]
            place = int(found[place])
        return place

    for one, other in pairs.T.tolist():
        low, high = sorted((root(one), root(other)))
        if low == high:
            continue
        if held[low] + held[high] > most:
            refused += 1
            continue
        found[high] = low
        held[low] += held[high]
    while (found[found] != found).any():
        found[:] = found[found]
    return refused


def relabel(labels: pa.ChunkedArray, links: pa.Table) -> pa.Array:
    """Return each label's `other` where there is a link from it, else the label itself."""
    at = index_of(labels, links["label"])
    known, others = labels.to_pylist(), links["other"].to_pylist()
    return pa.array([others[row] if row >= 0 else label for label, row in zip(known, at, strict=True)], pa.binary(8))


def split_of_group(label: bytes, val_share: float, test_share: float) -> str:
    """Return the split a new group falls into, by its label alone."""
    place = int.from_bytes(hashlib.sha256(b"split:" + label).digest()[:8], "big") / 2**64
    if place < test_share:
        return "test"
    return "val" if place < test_share + val_share else "train"


def assign_splits(
    groups: pa.Table, known: pa.Table, val_share: float, test_share: float
) -> tuple[pa.Table, np.ndarray]:
    """Return (item_id, group, split) of the items of whole groups, and which rows are new.

    `groups` holds item_id and label, one row an item; `known` item_id and split fixed earlier. A group's new items
    follow its known ones (`train` before `val` before `test`), for what a model has seen may not be
    held out later.
    """
    at = index_of(groups["item_id"], known["item_id"])
    known_splits = known["split"].to_pylist()
    labels = groups["label"].to_pylist()
    rank = {"train": 0, "val": 1, "test": 2}
    followed: dict[bytes, str] = {}
    for label, row in zip(labels, at, strict=True):
        if row >= 0:
            followed[label] = min(followed.get(label, "test"), known_splits[row], key=lambda split: rank[split])
    splits = [
        known_splits[row] if row >= 0 else followed.get(label) or split_of_group(label, val_share, test_share)
        for label, row in zip(labels, at, strict=True)
    ]
    table = pa.table({"item_id": groups["item_id"], "group": groups["label"], "split": pa.array(splits, pa.string())})
    return table, at < 0
