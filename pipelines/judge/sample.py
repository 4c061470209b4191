"""Which of the photos that might be asked are: stratified by category, and in each by how often customers ask.

Each query that is drawn stands for as many of the customers' as any other, so that plain means are theirs.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping

import numpy as np

from pipelines.judge.candidates import Photo, Source, picked


def drawn(source: Source, may_ask: Callable[[Photo], bool], count: int, rng: np.random.Generator) -> list[Photo]:
    """Return `count` photos that may be asked, or all there are, in the random order in which they are to be asked.

    Categories get their shares of the weights (largest remainders); within one, a photo is drawn in proportion to its
    weight (Efraimidis and Spirakis 2006, by exponential keys), never twice. Photos without weight are drawn last.
    The source is gone through twice; of each photo that may be asked two numbers are kept meanwhile.
    """
    strata: dict[tuple[str, ...], tuple[array[int], array[float]]] = {}
    for number, photo in enumerate(source()):
        if may_ask(photo):
            numbers, weights = strata.setdefault(photo.shown.category, (array("q"), array("d")))
            numbers.append(number)
            weights.append(photo.weight)
    kept = {path: (np.array(numbers), np.array(weights)) for path, (numbers, weights) in strata.items()}
    least = min((float(own[own > 0].min()) for _, own in kept.values() if (own > 0).any()), default=1.0)
    kept = {path: (numbers, np.where(own > 0, own, least * 1e-6)) for path, (numbers, own) in kept.items()}
    shares = allocated({path: (float(own.sum()), len(own)) for path, (_, own) in kept.items()}, count)
    chosen: list[int] = []
    for path in sorted(kept):
        of_path, own = kept[path]
        keys = rng.exponential(size=len(own)) / own
        chosen += of_path[np.argsort(keys, kind="stable")[: shares[path]]].tolist()
    photos = picked(source, chosen)
    return [photos[chosen[n]] for n in rng.permutation(len(chosen))]


def allocated[Stratum](strata: Mapping[Stratum, tuple[float, int]], count: int) -> dict[Stratum, int]:
    """Return how many of `count` each stratum gets, given its (weight, size): in proportion, never more than its size.

    What a small stratum cannot take, the others share.
    """
    shares = dict.fromkeys(strata, 0)
    left = min(count, sum(size for _, size in strata.values()))
    while left:
        open_ones = [name for name, (_, size) in strata.items() if shares[name] < size]
        whole = sum(strata[name][0] for name in open_ones)
        wanted = {name: left * strata[name][0] / whole for name in open_ones}
        given = {name: min(math.floor(wanted[name]), strata[name][1] - shares[name]) for name in open_ones}
        if not any(given.values()):  # all that is left is remainders
            by_remainder = sorted(open_ones, key=lambda name: (-wanted[name], str(name)))
            given = dict.fromkeys(by_remainder[:left], 1)
        for name, more in given.items():
            shares[name] += more
        left -= sum(given.values())
    return shares
