"""Questions whose answer the catalogue knows: they tell who looks at the photos."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from pipelines.judge.candidates import Source, picked
from pipelines.judge.task import Grade, Shown

Known = tuple[Shown, Shown, Grade]
Numbered = tuple[int, int]
"""Two photos of a source, by their numbers."""


def gold(source: Source, count: int, rng: np.random.Generator) -> list[Known]:
    """Return at most `count` pairs with their grade, half of each kind where the catalogue has enough.

    "same" are two different photos of one item, "not" are items of different categories at the top of the taxonomy.
    An item's photos come together.
    """
    same, roots = _listed(source)
    different = _different(roots, count, rng)
    few = min(len(same), count // 2)
    chosen = [same[n] for n in rng.permutation(len(same))[: max(few, count - len(different))]]
    alike = len(chosen)
    chosen += different[: count - alike]
    photos = picked(source, {number for pair in chosen for number in pair})
    return [
        (photos[one].shown, photos[other].shown, "same" if n < alike else "not")
        for n, (one, other) in enumerate(chosen)
    ]


def _listed(source: Source) -> tuple[list[Numbered], dict[str, array[int]]]:
    """Return two different photos of each item that has them, and the photos of the gallery by their top category."""
    same, roots = list[Numbered](), dict[str, array[int]]()
    for _, group in groupby(enumerate(source()), key=lambda numbered: numbered[1].shown.item_id):
        own = dict[str, int]()
        for number, photo in group:
            own.setdefault(photo.shown.digest, number)
            if photo.in_gallery and photo.shown.category:
                roots.setdefault(photo.shown.category[0], array("q")).append(number)
        if len(own) > 1:
            one, other, *_ = own.values()
            same.append((one, other))
    return same, roots


def _different(roots: Mapping[str, Sequence[int]], count: int, rng: np.random.Generator) -> list[Numbered]:
    """Return items of the gallery beside others that stand elsewhere from the top of the taxonomy on."""
    names = sorted(roots)
    if len(names) < 2:
        return []
    found: list[Numbered] = []
    for _ in range(count):
        one, other = rng.choice(len(names), 2, replace=False)
        left, right = (roots[names[n]][int(rng.integers(len(roots[names[n]])))] for n in (one, other))
        found.append((left, right))
    return list(dict.fromkeys(found))
