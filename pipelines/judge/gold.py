"""Questions whose answer the catalogue knows: they tell who looks at the photos."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

import numpy as np

from pipelines.judge.candidates import Photo
from pipelines.judge.task import Grade, Shown

Known = tuple[Shown, Shown, Grade]


def gold(photos: Sequence[Photo], count: int, rng: np.random.Generator) -> list[Known]:
    """Return at most `count` pairs with their grade, half of each kind where the catalogue has enough.

    "same" are two different photos of one item, "not" are items of different categories at the top of the taxonomy.
    `photos` are in the order of items.
    """
    same, different = _same(photos), _different(photos, count, rng)
    few = min(len(same), count // 2)
    chosen = [same[n] for n in rng.permutation(len(same))[: max(few, count - len(different))]]
    return [*chosen, *different[: count - len(chosen)]]


def _same(photos: Sequence[Photo]) -> list[Known]:
    found: list[Known] = []
    for _, group in groupby(photos, key=attrgetter("shown.item_id")):
        own = {photo.shown.digest: photo.shown for photo in group}
        if len(own) > 1:
            one, other, *_ = own.values()
            found.append((one, other, "same"))
    return found


def _different(photos: Sequence[Photo], count: int, rng: np.random.Generator) -> list[Known]:
    """Return items of the gallery beside others that stand elsewhere from the top of the taxonomy on."""
    roots: dict[str, list[Shown]] = {}
    for photo in photos:
        if photo.in_gallery and photo.shown.category:
            roots.setdefault(photo.shown.category[0], []).append(photo.shown)
    names = sorted(roots)
    if len(names) < 2:
        return []
    found: list[Known] = []
    for _ in range(count):
        one, other = rng.choice(len(names), 2, replace=False)
        left, right = (roots[names[n]][rng.integers(len(roots[names[n]]))] for n in (one, other))
        found.append((left, right, "not"))
    return list(dict.fromkeys(found))
