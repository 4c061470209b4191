"""Photos that look the same, of items in unequal categories. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from pipelines.quality.gallery import Looks
from pipelines.tables.alike import DISTANCE, keys_of
from pipelines.tables.arrays import Ints

STEPS: Final = 64
"""In a larger set that shares a key, a look is compared with so many that follow it."""
Pair = tuple[int, int, int]
"""In how many bits two looks differ, and the rows of both."""


def of_unequal_leaves(looks: Looks, leaf: Ints, may_be: Callable[[int, int], bool]) -> Iterator[list[Pair]]:
    """Yield pairs of rows of `looks` that are near-duplicates in two leaves (int `[items]`), some at a time.

    Of photos of one look in one leaf the first stands for all, so that what a whole leaf has is told once.
    """
    kept = _one_a_leaf(looks, leaf)
    of = leaf[looks.item[kept]]
    hashes = looks.look[kept]
    for keys in keys_of(hashes):
        order = np.lexsort((hashes, keys))
        for step in range(1, min(STEPS, len(order))):
            one, other = order[:-step], order[step:]
            near = (keys[one] == keys[other]) & (of[one] != of[other])
            if not (keys[one] == keys[other]).any():
                break
            distance = np.bitwise_count(hashes[one] ^ hashes[other])
            found = np.flatnonzero(near & (distance <= DISTANCE))
            rows = np.sort(kept[np.stack([one[found], other[found]])], axis=0)
            pairs = zip(distance[found].tolist(), *rows.tolist(), strict=True)
            yield [(bits, a, b) for bits, a, b in pairs if may_be(int(leaf[looks.item[a]]), int(leaf[looks.item[b]]))]


def _one_a_leaf(looks: Looks, leaf: Ints) -> Ints:
    order = np.lexsort((looks.item, leaf[looks.item], looks.look))
    look, of = looks.look[order], leaf[looks.item[order]]
    first = np.ones(len(order), bool)
    first[1:] = (look[1:] != look[:-1]) | (of[1:] != of[:-1])
    return np.sort(order[first])
