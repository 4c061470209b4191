"""What an answer says of a gain, given who gave it: scores that are right on average, whoever the rater is.

A posterior mean would be drawn to what is usual, and two releases with it to each other. So each rater's answers get
the scores whose mean, given the true grade, is its gain: the confusion matrix, solved for the gains. Who answers
without looking has a matrix that says nothing, scores of huge variance, and next to no weight.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.judge.dawid_skene import Told
from pipelines.tables.arrays import Array, Ints

LEAST: Final = -0.5
MOST: Final = 1.5
"""A question's gain is taken to be within; beyond, nobody who looked has answered it."""
ALMOST_NOTHING: Final = 1e-3
"""Is added to each matrix's diagonal, so that it can be solved; a thousandth of the scores' bias."""


def gains_of(told: Told, items: Ints, raters: Ints, answers: Ints, gains: Array) -> Array:
    """Return the gain of each item, float64 `[items]`, from all its answers, each by the weight of its rater.

    `gains` float64 `[k]` is what each grade is worth; `items`, `raters`, `answers` are those that `told` was told by. A
    gain may be a little below 0 or above 1: only means of many are shares.
    """
    scores, weights = _scores(told, gains)
    count, weight = len(told.grades), weights[raters]
    sums = np.bincount(items, weight * scores[raters, answers], count)
    return np.asarray(np.clip(sums / np.bincount(items, weight, count), LEAST, MOST))


def _scores(told: Told, gains: Array) -> tuple[Array, Array]:
    """Return float64 `[raters, k]`, what each answer of a rater stands for, and `[raters]`, what their answers weigh.

    A weight is one over the variance of the scores, given the true grade.
    """
    k = len(gains)
    solvable = told.confusion + ALMOST_NOTHING * np.eye(k)
    scores = np.linalg.solve(solvable, np.broadcast_to(gains[:, None], (len(solvable), k, 1)))[..., 0]
    means, squares = ((told.confusion @ values[..., None])[..., 0] for values in (scores, scores**2))
    variances = (squares - means**2) @ told.shares
    return scores, 1 / (variances + ALMOST_NOTHING)
