"""What the table of similar items tells: which items are like nothing, and which stand among another category's.

Pure functions over its buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from pipelines.quality.gallery import Similar
from pipelines.tables.arrays import Array, Ints

LEAST: Final = 3
"""So many similar items of one other category say something."""
Lonely = tuple[float, int, int]
"""The similarity of the most similar item, the item's number, and that one's."""
Mislabelled = tuple[float, int, int, int, float]
"""Less sure is larger: 1 - confidence; the item's number, the other leaf, the first similar item of it, its share."""


def lonely(table: Similar) -> Iterator[Lonely]:
    """Yield each item with its most similar one."""
    first = table.rank == 1
    yield from zip(
        table.score[first].astype(float).tolist(), table.item[first].tolist(), table.other[first].tolist(), strict=True
    )


def mislabelled(table: Similar, leaf: Ints, may_be: Callable[[int, int], bool]) -> Iterator[Mislabelled]:
    """Yield the items of which most of what is similar stands in one other leaf.

    `leaf` int `[items]` are the items' leaves; `may_be(own, other)` tells whether the other can be right instead. How
    sure it is, is the similarity that the other leaf's items have together less that of the own leaf's, by item shown.
    """
    if not len(table.item):
        return
    weight = np.maximum(table.score, 0).astype(np.float64)
    items, place = np.unique(table.item, return_inverse=True)
    shown = np.bincount(place)
    own = np.bincount(place, weight * (leaf[table.other] == leaf[table.item]))
    for of, other, first, total, count in zip(*_other_leaves(table, place, leaf, weight), strict=True):
        item = int(items[of])
        sure = float(total - own[of]) / int(shown[of])
        if sure > 0 and count >= LEAST and 2 * count > shown[of] and may_be(int(leaf[item]), int(other)):
            yield 1 - sure, item, int(other), int(first), float(count / shown[of])


def _other_leaves(table: Similar, place: Ints, leaf: Ints, weight: Array) -> tuple[Array, ...]:
    """Return for each item and other leaf: both, the first similar item of that, the weight and number of those."""
    apart = np.flatnonzero(leaf[table.other] != leaf[table.item])
    keys = place[apart] * (int(leaf.max()) + 1) + leaf[table.other[apart]]
    pairs, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    totals, counts = np.bincount(inverse, weight[apart]), np.bincount(inverse)
    width = int(leaf.max()) + 1
    return pairs // width, pairs % width, table.other[apart][first], totals, counts
