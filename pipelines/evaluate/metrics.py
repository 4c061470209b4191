"""Pure measures of search and classification: recall with a bound, precision, average precision, gain, accuracy.

Arrays and sequences in, numbers out.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
Metrics = dict[str, float]

Z95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: bounds hold with 95 % confidence."""

TIE = 1e-5
"""Scores this close are equal: float16 vectors, and products summed in another order, differ by less."""


@dataclass(frozen=True)
class Bounded:
    """A mean over `count` queries and its lower 95 % bound."""

    value: float
    lower: float
    count: int


def wilson_lower(share: float, count: float, z: float = Z95) -> float:
    """Return the lower bound of Wilson's score interval of a share seen in `count` trials.

    For means of values between 0 and 1 it is conservative: their variance is at most share * (1 - share).
    """
    if count == 0:
        return 0.0
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, (centre - spread) / (1 + z * z / count))


def weighted_mean(values: Sequence[float] | Values, weights: Sequence[float] | Values) -> float:
    """Return the weighted mean of values, which may be of any size and sign, such as differences."""
    return float(np.average(np.asarray(values, np.float64), weights=np.asarray(weights, np.float64)))


def bounded_mean(values: Sequence[float] | Values, weights: Sequence[float] | Values | None = None) -> Bounded:
    """Return the weighted mean of values in [0, 1] with its lower bound, as of Kish's effective number of them."""
    if not len(values):
        return Bounded(0.0, 0.0, 0)
    shares = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    mean = weighted_mean(values, shares)
    effective = float(shares.sum() ** 2 / np.square(shares).sum())
    return Bounded(mean, wilson_lower(mean, effective), len(values))


def recall_at(found: Sequence[Hashable], truth: Sequence[Hashable], scores: Sequence[float], k: int) -> float | None:
    """Return the share of the true best `k` that is among the first `k` found; None when there is no truth.

    `truth` is ordered by falling `scores` and should be longer than k: what scores as much as the k-th, within `TIE`,
    counts as true, so that the order of equals costs nothing.
    """
    wanted = min(k, len(truth))
    if wanted == 0:
        return None
    least = scores[wanted - 1] - TIE
    true = {key for key, score in zip(truth, scores, strict=True) if score >= least}
    return min(wanted, len(true.intersection(found[:k]))) / wanted


def precision_at(relevant: Sequence[bool] | Bools, k: int) -> float:
    """Return the share of relevant results among the first `k`; missing results count as not relevant."""
    return float(np.count_nonzero(np.asarray(relevant[:k], dtype=bool))) / k


def average_precision_at(relevant: Sequence[bool] | Bools, total: int, k: int) -> float | None:
    """Return the mean of the precisions at each relevant result among the first `k`, over min(`total`, k).

    `total` is how many relevant items there are to find; None when there are none.
    """
    if total == 0:
        return None
    hits = np.asarray(relevant[:k], dtype=bool)
    precisions = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precisions * hits).sum() / min(total, k))


def ndcg_at(gains: Sequence[float], ideal: Sequence[float], k: int) -> float | None:
    """Return the discounted cumulative gain of the first `k` over that of the `ideal` order; None when that is 0.

    Discount 1 / log2(rank + 1) (Järvelin and Kekäläinen, 2002).
    """
    best = _dcg(sorted(ideal, reverse=True)[:k])
    return _dcg(gains[:k]) / best if best else None


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


def hit_at(found: Sequence[Hashable], wanted: Hashable, k: int) -> bool:
    """Tell whether `wanted` is among the first `k` found."""
    return wanted in found[:k]


def overlap_at(ours: Sequence[Hashable], theirs: Sequence[Hashable], k: int) -> float | None:
    """Return how much of the longer of two first-`k` lists both share; None when both are empty."""
    longest = max(len(ours[:k]), len(theirs[:k]))
    return len(set(ours[:k]) & set(theirs[:k])) / longest if longest else None


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are there; None when none is."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def macro_mean(values: Sequence[float], groups: Sequence[Hashable], at_least: int = 1) -> float | None:
    """Return the mean of the groups' means, over groups of `at_least` values; None when there is no such group."""
    return mean(float(np.mean(of_group)) for of_group in by_group(values, groups).values() if len(of_group) >= at_least)


def by_group(values: Sequence[float], groups: Sequence[Hashable]) -> dict[Hashable, list[float]]:
    """Return the values of each group, in the order of first sight."""
    found: dict[Hashable, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        found.setdefault(group, []).append(value)
    return found


def worst_groups(groups: Mapping[Hashable, Sequence[float]], share: float, at_least: int) -> list[Hashable]:
    """Return the worst `share` of the groups by their means (at least one of any).

    Groups of fewer than `at_least` values are left out, unless all are that small.
    """
    large = {name: values for name, values in groups.items() if len(values) >= at_least} or dict(groups)
    ranked = sorted(large, key=lambda name: (float(np.mean(large[name])), str(name)))
    return ranked[: math.ceil(share * len(ranked))]


def cross_fitted_worst(
    values: Sequence[float], groups: Sequence[Hashable], half: Sequence[bool] | Bools, share: float, at_least: int
) -> list[int]:
    """Return the places of values in the worst `share` of the groups, each chosen without the value itself.

    The worst groups of one `half` are looked up in the other, both ways: chosen and measured on the same values, the
    worst would be the unlucky, and look worse than they are.
    """
    sides = np.asarray(half, bool)
    found: list[int] = []
    for chooser in (True, False):
        choosing, measured = (np.flatnonzero(mask).tolist() for mask in (sides == chooser, sides != chooser))
        by_name = by_group([values[n] for n in choosing], [groups[n] for n in choosing])
        worst = set(worst_groups(by_name, share, at_least))
        found += [n for n in measured if groups[n] in worst]
    return sorted(found)


def percentiles(values: Sequence[float], shares: Sequence[float] = (50, 95, 99)) -> list[float]:
    """Return percentiles (linear interpolation) of at least one value."""
    return [float(value) for value in np.percentile(values, shares)]
