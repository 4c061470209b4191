"""Which items are variants of one another: their group_ids, but for those that are likely placeholders.

Nor is an item one that people have said to be not alike another of its group.

The preprocess stage judges that and keeps it beside its table of photos; whoever folds variants, or leaves them out of
what an item finds, reads the judgement here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet

import pyarrow as pa

from pipelines.store import NotFoundError, Store


def group_key(group_id: str) -> bytes | None:
    """Return the 8-byte key of a group of variants, None for an item that is in none."""
    return short_hash(f"group:{group_id}") if group_id else None


def item_key(item_id: str) -> bytes:
    """Return the 8-byte key of an item."""
    return short_hash(f"item:{item_id}")


def short_hash(text: str) -> bytes:
    """Return the first 8 bytes of a text's sha256, as keys and labels of items are."""
    return hashlib.sha256(text.encode()).digest()[:8]


def read_placeholders(store: Store, name: str) -> frozenset[bytes]:
    """Return the keys of the group_ids that a run has judged to be placeholders, and of items that are no variants."""
    try:
        return frozenset(map(bytes.fromhex, store.read_json(name)))
    except NotFoundError:  # photos were resolved by a version that judged nothing
        return frozenset()


def without_placeholders(items: pa.Table, placeholders: AbstractSet[bytes]) -> pa.Table:
    """Return ITEMS with "" in place of the group_ids whose keys, or whose items' keys, are among `placeholders`."""
    if not placeholders:
        return items
    rows = zip(items["item_id"].to_pylist(), items["group_id"].to_pylist(), strict=True)
    named = [
        group if group and group_key(group) not in placeholders and item_key(item_id) not in placeholders else ""
        for item_id, group in rows
    ]
    return items.set_column(items.schema.get_field_index("group_id"), "group_id", pa.array(named, pa.string()))
