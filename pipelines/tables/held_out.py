"""Leaves that training never sees, so that what a search makes of new categories can be measured."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa


def is_held_out(path: Sequence[str], share: float) -> bool:
    """Tell whether a category path is among the `share` of leaves that are kept from training; the same every day."""
    if not path or share <= 0:
        return False
    digest = hashlib.sha256(b"held out:" + "\x1f".join(path).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def learned_from(paths: pa.ChunkedArray, share: float) -> pa.Array:
    """Return which of some category paths may be trained on, bool `[len(paths)]`."""
    return pa.array([not is_held_out(path or (), share) for path in paths.to_pylist()], pa.bool_())
