"""Names made of what a model is: its weights sorted by name, its signatures and its preparation, never its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from trainer.config import EXPORT_VERSION

SIGNATURES = ("evaluate", "serve_pixels", "serve_prepared")


def checksum(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of named arrays: names, dtypes, shapes and bytes, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{array.dtype}|{array.shape}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def model_id(prep_id: str, arrays: Mapping[str, np.ndarray], slots: Mapping[str, Mapping[str, int]]) -> str:
    """Return the 16 hex digits that name an exported model, whatever the bytes of its files."""
    digest = hashlib.sha256(f"export {EXPORT_VERSION}|{prep_id}|{','.join(SIGNATURES)}|".encode())
    for label in sorted(slots):
        digest.update(f"{label}:{sorted(slots[label].items())}|".encode())
    digest.update(checksum(arrays).encode())
    return digest.hexdigest()[:16]


def part(arrays: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the arrays of some models of a `save_weights` file."""
    return {key: value for key, value in arrays.items() if key.split("/", 1)[0] in names}
