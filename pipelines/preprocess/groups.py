"""Groups of items that must stay on one side of a split (equal titles, photos or group_id), and their splits. Pure.

Items start under a label made of their title. A key (a photo, a group_id) under several labels links them; what is
linked, over any number of steps, is one group under its smallest label. No chain escapes, because the links, and they
alone, come together on one worker: some 200 bytes of its memory each, at most one a title and a photo or group_id of
several titles. A photo that half of a shop's items show, such as a placeholder, makes one group of that half.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from pipelines.tables.arrow import index_of

KEYED = pa.schema([("key", pa.binary(8)), ("label", pa.binary(8))])
LINKS = pa.schema([("label", pa.binary(8)), ("other", pa.binary(8))])
NUMBER = np.dtype(">u8")  # big-endian, so that numbers are ordered as bytes are


def own_label(item_id: str, group_id: str, title: str) -> bytes:
    """Return the 8-byte label of an item's title (case and spaces ignored), or of its group_id, or of itself."""
    words = " ".join(title.casefold().split())
    return _hash(f"title:{words}") if words else group_key(group_id) or _hash(f"item:{item_id}")


def group_key(group_id: str) -> bytes | None:
    """Return the 8-byte key of a group of variants, None for an item that is in none."""
    return _hash(f"group:{group_id}") if group_id else None


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:8]


def find_links(keyed: pa.Table) -> pa.Table:
    """Return LINKS between the labels (KEYED) of each key: each but the smallest with the smallest, once."""
    keys, labels = _numbers(keyed["key"]), _numbers(keyed["label"])
    order = np.lexsort((labels, keys))
    keys, labels = keys[order], labels[order]
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    smallest = labels[first][np.cumsum(first) - 1]
    pairs = np.unique(np.stack([labels, smallest], axis=1)[labels != smallest], axis=0)
    return pa.table([_labels(pairs[:, 0]), _labels(pairs[:, 1])], schema=LINKS)


def smallest_of_linked(links: pa.Table) -> pa.Table:
    """Return LINKS from every linked label, but the smallest of a group, to the smallest that it is linked with.

    Labels are joined along all links at once and then point at where their label points, until nothing moves.
    """
    ends = np.stack([_numbers(links["label"]), _numbers(links["other"])])
    labels, places = np.unique(ends, return_inverse=True)
    one, other = places.reshape(2, -1)
    found = np.arange(len(labels))
    while (apart := found[one] != found[other]).any():
        low, high = np.sort(np.stack([found[one[apart]], found[other[apart]]]), axis=0)
        np.minimum.at(found, high, low)
        while (found[found] != found).any():
            found = found[found]
    moved = found != np.arange(len(labels))
    return pa.table([_labels(labels[moved]), _labels(labels[found[moved]])], schema=LINKS)


def relabel(labels: pa.ChunkedArray, links: pa.Table) -> pa.Array:
    """Return each label's `other` where there is a link from it, else the label itself."""
    at = index_of(labels, links["label"])
    known, others = labels.to_pylist(), links["other"].to_pylist()
    return pa.array([others[row] if row >= 0 else label for label, row in zip(known, at, strict=True)], pa.binary(8))


def _numbers(values: pa.ChunkedArray) -> np.ndarray:
    return np.frombuffer(b"".join(values.to_pylist()), NUMBER)


def _labels(numbers: np.ndarray) -> pa.Array:
    data = np.ascontiguousarray(numbers, NUMBER)
    return pa.Array.from_buffers(pa.binary(8), len(data), [None, pa.py_buffer(data.tobytes())])


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
