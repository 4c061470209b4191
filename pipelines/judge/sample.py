"""Which of the photos that might be asked are: stratified by category, and in each by how often customers ask.

Each query that is drawn stands for as many of the customers' as any other, so that plain means are theirs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.judge.candidates import Photo


def drawn(photos: Sequence[Photo], count: int, rng: np.random.Generator) -> list[Photo]:
    """Return `count` photos, or all there are, in the random order in which they are to be asked.

    Categories get their shares of the weights (largest remainders); within one, a photo is drawn in proportion to its
    weight (Efraimidis and Spirakis 2006, by exponential keys), never twice. Photos without weight are drawn last.
    """
    strata: dict[tuple[str, ...], list[Photo]] = {}
    for photo in photos:
        strata.setdefault(photo.shown.category, []).append(photo)
    least = min((photo.weight for photo in photos if photo.weight > 0), default=1.0)
    weights = {path: [photo.weight or least * 1e-6 for photo in own] for path, own in strata.items()}
    shares = allocated({path: (sum(own), len(own)) for path, own in weights.items()}, count)
    chosen: list[Photo] = []
    for path in sorted(strata):
        keys = rng.exponential(size=len(strata[path])) / np.array(weights[path])
        chosen += [strata[path][n] for n in np.argsort(keys, kind="stable")[: shares[path]]]
    return [chosen[n] for n in rng.permutation(len(chosen))]


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
