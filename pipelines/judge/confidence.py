"""A mean that is looked at again and again: bounds that hold at every look at once, however often one looks.

A capital bets against each value that the mean might have, and by Ville's inequality seldom grows large against the
true one: confidence sequences by betting (Waudby-Smith and Ramdas 2024, Journal of the Royal Statistical Society B
86(1), 1-27). Stakes are sized for a difference of `margin`, the smallest that matters, and are predictable: made of
earlier values alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.tables.arrays import Array

MOST_OF_ALL: Final = 0.9
"""Of its capital a bet risks at most so much."""
VARIANCE_BEFORE: Final = 0.04
WEIGHT_BEFORE: Final = 10
"""What is supposed of the variance before there are values, and how many of them that counts as."""
HALVINGS: Final = 40


@dataclass(frozen=True)
class Bounds:
    """The mean of values in [-1, 1] so far, between bounds that hold at all looks together."""

    mean: float
    lower: float
    upper: float


def bounds(values: Array, margin: float, confidence: float) -> Bounds:
    """Return the mean of float64 `[n]` values, in the order in which they came, with its bounds of this moment.

    Raises ValueError for a value outside of [-1, 1].
    """
    if np.abs(values).max(initial=0.0) > 1:
        raise ValueError(f"{values[np.abs(values).argmax()]:g} is not between -1 and 1")
    lower = _highest_refuted(values, margin, confidence)
    upper = -_highest_refuted(-values, margin, confidence)
    return Bounds(float(values.mean()) if len(values) else 0.0, lower, upper)


def more_needed(values: Array, margin: float, confidence: float) -> int | None:
    """Return about how many more values decide, if they are as those before; None where that cannot be told.

    Decided means that the bounds leave out 0, or both -`margin` and `margin`.
    """
    above, below = _wait(values, 0.0, margin, confidence), _wait(-values, 0.0, margin, confidence)
    within = [_wait(sign * values, -margin, margin, confidence) for sign in (1.0, -1.0)]
    least = min(above, below, max(within))
    return math.ceil(least) if math.isfinite(least) else None


def log_capital(values: Array, mean: float, margin: float) -> Array:
    """Return the logarithm of what a bet that the mean is above `mean` has grown to, float64 `[n]`, after each value.

    Of values `[..., n]`, each row is a sequence of its own.
    """
    stakes = np.minimum(_stakes(values, margin), MOST_OF_ALL / (1 + mean))
    return np.asarray(np.cumsum(np.log1p(stakes * (values - mean)), axis=-1))


def needed(confidence: float) -> float:
    """Return the logarithm of the capital that refutes a mean: half of the error is for each side."""
    return math.log(2 / (1 - confidence))


def _stakes(values: Array, margin: float) -> Array:
    """Return what is staked on each value, made of those before it: the margin over their variance."""
    before = np.arange(values.shape[-1])
    sums = np.cumsum(values, axis=-1)
    means = (sums - values) / (WEIGHT_BEFORE + before)  # of the values before, drawn to 0
    squares = np.cumsum((values - means) ** 2, axis=-1)
    variances = (VARIANCE_BEFORE * WEIGHT_BEFORE + squares - (values - means) ** 2) / (WEIGHT_BEFORE + before)
    return np.asarray(margin / variances)


def _highest_refuted(values: Array, margin: float, confidence: float) -> float:
    """Return the highest mean against which the capital was large enough at any moment, -1 where there is none.

    Whatever is below it is refuted too, for there the same values win more.
    """
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _refuted(values, middle, margin, confidence):
            low = middle
        else:
            high = middle
    return low


def _refuted(values: Array, mean: float, margin: float, confidence: float) -> bool:
    return bool(log_capital(values, mean, margin).max(initial=0.0) >= needed(confidence))


def _wait(values: Array, mean: float, margin: float, confidence: float) -> float:
    """Return about how many more values refute a mean: what the capital lacks, by how fast it grows."""
    if not len(values):
        return math.inf
    grown = log_capital(values, mean, margin)
    lacking, speed = needed(confidence) - grown.max(), grown[-1] / len(values)
    if lacking <= 0:
        return 0.0
    return (needed(confidence) - grown[-1]) / speed if speed > 0 else math.inf
