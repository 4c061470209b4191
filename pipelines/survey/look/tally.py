"""Keys of which only those that occur more than once matter: eight bytes each, whatever they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def hash_of(key: str) -> int:
    """Return a number of 8 bytes for a key."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Tally:
    """Counts keys by their hashes."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.uint64]] = []

    def add(self, keys: Iterable[str]) -> None:
        """Count some keys."""
        self._parts.append(np.fromiter(map(hash_of, keys), np.uint64))

    def more_than(self, count: int) -> dict[int, int]:
        """Return {hash: count} of keys that occur more often."""
        if not self._parts:
            return {}
        hashes, counts = np.unique(np.concatenate(self._parts), return_counts=True)
        often = counts > count
        return dict(zip(hashes[often].tolist(), counts[often].tolist(), strict=True))

    def distinct(self) -> int:
        """Return how many keys there are."""
        return len(np.unique(np.concatenate(self._parts))) if self._parts else 0
