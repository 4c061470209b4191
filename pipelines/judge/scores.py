"""What an answer says of a gain, given who gave it: scores that are right on average, whoever the rater is.

A posterior mean would be drawn to what is usual, and two releases with it to each other. So each rater's answers get
the scores whose mean, given the true grade, is its gain: the confusion matrix, solved for the gains. Who answers
without looking has a matrix that says nothing, scores of huge variance, and next to no weight.

A query's answers are scored by what earlier queries tell of the raters, so that no look changes what one before it saw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.judge.dawid_skene import Told, told_by
from pipelines.tables.arrays import Array, Ints

FIRST_TURN: Final = 50
LONGER: Final = 1.2
"""The first turn has so many queries, whose own answers tell of the raters; each later one ends so much later."""
LEAST: Final = -0.5
MOST: Final = 1.5
"""A question's gain is taken to be within; beyond, nobody who looked has answered it."""
ALMOST_NOTHING: Final = 1e-3
"""Is added to each matrix's diagonal, so that it can be solved; a thousandth of the scores' bias."""


@dataclass(frozen=True)
class Given:
    """Answers, int64 `[answers]` each: to which item (from 0), of which rater (from 0), which grade (from 0).

    `known` int64 `[items]` is the grade of an item where it is known, else -1; `places` int64 `[items]` that of the
    query it belongs to, below 0 for those that belong to none, which tell of the raters from the first turn on.
    """

    items: Ints
    raters: Ints
    answers: Ints
    known: Ints
    places: Ints

    def where(self, flags: Array) -> Given:
        """Return some of the answers, bool `[answers]`."""
        return Given(self.items[flags], self.raters[flags], self.answers[flags], self.known, self.places)

    def told(self, people: int, prior: Array) -> Told:
        """Return what the answers tell; the rows of its grades are the answered items in order."""
        there, items = np.unique(self.items, return_inverse=True)
        return told_by(items, self.raters, self.answers, len(prior), self.known[there], people, prior)


def gains_in_turns(given: Given, people: int, gains: Array, prior: Array) -> Iterator[tuple[int, Array]]:
    """Yield, turn by turn, after how many queries it ends, and float64 `[items]`: the gains of its queries' items.

    All other items have NaN. `gains` float64 `[k]` is what each grade is worth, `prior` as in `told_by`. A gain may be
    a little below 0 or above 1: only means of many are shares.
    """
    place = given.places[given.items]
    for start, stop in turns(int(given.places.max(initial=-1)) + 1):
        told = given.where(place < (start or stop)).told(people, prior)
        yield stop, averaged(given.where((start <= place) & (place < stop)), *_scores(told, gains))


def turns(queries: int) -> Iterator[tuple[int, int]]:
    """Yield the turns of so many queries, as half-open ranges; the ends do not depend on how many there are."""
    start, stop = 0, FIRST_TURN
    while start < queries:
        yield start, min(stop, queries)
        start, stop = stop, round(stop * LONGER)


def averaged(given: Given, scores: Array, weights: Array) -> Array:
    """Return float64 `[items]`, the mean score of each item's answers by the raters' weights, NaN without an answer."""
    weight, count = weights[given.raters], len(given.known)
    sums = np.bincount(given.items, weight * scores[given.raters, given.answers], count)
    whole = np.bincount(given.items, weight, count)
    means = np.divide(sums, whole, out=np.full(count, np.nan), where=whole > 0)
    return np.asarray(np.clip(means, LEAST, MOST))


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
