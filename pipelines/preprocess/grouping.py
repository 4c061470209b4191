"""Groups of items that must stay on one side of a split (equal titles, equal photos), and the split of each. Pure.

A group is found by passing the smallest label along titles and photos in turn; two rounds join chains of five links.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from pipelines.tables import index_of

LABELS = pa.schema(
    [("item_id", pa.string()), ("title_key", pa.binary(8)), ("digest", pa.binary(32)), ("label", pa.binary(8))]
)


def title_key(item_id: str, group_id: str, title: str) -> bytes:
    """Return the 8-byte key of an item's title (case and spaces ignored), or of its variants' group, or of itself."""
    words = " ".join(title.casefold().split())
    source = f"title:{words}" if words else f"group:{group_id}" if group_id else f"item:{item_id}"
    return hashlib.sha256(source.encode()).digest()[:8]


def spread_label(rows: pa.Table, key: str) -> pa.Table:
    """Return the rows (LABELS), each label replaced by the smallest of its key; rows of null keys keep theirs."""
    if not rows.num_rows:
        return rows
    keys, labels = rows[key].to_pylist(), rows["label"].to_pylist()
    smallest: dict[bytes, bytes] = {}
    for value, label in zip(keys, labels, strict=True):
        if value is not None and label < smallest.get(value, b"\xff" * 9):
            smallest[value] = label
    new = [label if value is None else smallest[value] for value, label in zip(keys, labels, strict=True)]
    return rows.set_column(rows.schema.get_field_index("label"), "label", pa.array(new, pa.binary(8)))


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
