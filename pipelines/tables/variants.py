"""Which items are variants of one another: their group_ids, but for those that are likely placeholders.

The preprocess stage judges which keys too many items share (`preprocess.max_group_share`) and keeps them beside its
table of photos; whoever folds variants, or leaves them out of what an item finds, reads the judgement here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet

import pyarrow as pa

from pipelines.store import NotFoundError, Store


def group_key(group_id: str) -> bytes | None:
    """Return the 8-byte key of a group of variants, None for an item that is in none."""
    return hashlib.sha256(f"group:{group_id}".encode()).digest()[:8] if group_id else None


def read_common(store: Store, name: str) -> frozenset[bytes]:
    """Return the keys that too many items share, of the object `unlinked` of a run; none where it judged none."""
    try:
        return frozenset(bytes.fromhex(key) for _, key, _ in store.read_json(name)["common"])
    except NotFoundError:  # photos were resolved by a version that judged nothing
        return frozenset()


def without_placeholders(items: pa.Table, common: AbstractSet[bytes]) -> pa.Table:
    """Return ITEMS with "" in place of the group_ids whose keys are common."""
    if not common:
        return items
    named = [group if group and group_key(group) not in common else "" for group in items["group_id"].to_pylist()]
    return items.set_column(items.schema.get_field_index("group_id"), "group_id", pa.array(named, pa.string()))
