"""Grades and raters, told from each other: the EM algorithm of Dawid and Skene (1979, Applied Statistics 28(1), 20-28).

Each rater has a confusion matrix, the chance of each answer given the true grade, and each item a distribution over
grades. What is known of an item stays as it is; a prior on the matrices keeps those of few answers sensible.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from pipelines.tables.arrays import Array, Ints

MOST_ROUNDS: Final = 200
CLOSE_ENOUGH: Final = 1e-4
"""The matrices change by less in a round: it was the last."""
TINY: Final = 1e-12


@dataclass(frozen=True)
class Told:
    """What the answers tell.

    `grades` float64 `[items, k]` is how probable each grade of an item is, `confusion` float64 `[raters, k, k]` the
    chance of each answer (last axis) given the true grade, `shares` float64 `[k]` how often each grade occurs.
    """

    grades: Array
    confusion: Array
    shares: Array


def told_by(
    items: Ints, raters: Ints, answers: Ints, k: int, known: Ints, people: int, prior: Array | None = None
) -> Told:
    """Return what answers tell: each of a rater (from 0) to an item (from 0), a grade (from 0, below `k`).

    `items`, `raters` and `answers` are int64 `[answers]`; a rater may answer an item several times. `known` int64
    `[items]` is the grade of an item where it is known, else -1. There are so many `people`, also such as gave no
    answer. `prior` float64 `[k, k]` is added to each rater's counts.
    """
    count = len(known)
    ones = np.ones(len(answers))
    given = csr_array((ones, (items, raters * k + answers)), shape=(count, people * k))  # how often, by item
    of_all = csr_array((ones, (items, answers)), shape=(count, k))
    added = TINY + (np.zeros((k, k)) if prior is None else prior)

    def confusion_of(grades: Array) -> Array:
        counts = (given.T @ grades).reshape(people, k, k).transpose(0, 2, 1)
        return _normalised(counts + added)

    grades = _pinned(_normalised(of_all.toarray() + TINY), known)
    confusion, shares = confusion_of(grades), _shares(grades, known)
    for _ in range(MOST_ROUNDS):
        likely = np.log(shares) + given @ np.log(confusion).transpose(0, 2, 1).reshape(people * k, k)
        highest = reduce(np.maximum, likely.T)[:, None]  # many times faster than along a short last axis
        grades = _pinned(_normalised(np.exp(likely - highest)), known)
        before, confusion, shares = confusion, confusion_of(grades), _shares(grades, known)
        if np.abs(confusion - before).max(initial=0.0) < CLOSE_ENOUGH:
            break
    return Told(grades, confusion, shares)


def _shares(grades: Array, known: Ints) -> Array:
    """Return how often each grade occurs, among items of which it is not known."""
    is_open = (known < 0).astype(np.float64)
    return _normalised(is_open @ grades + TINY)


def _pinned(grades: Array, known: Ints) -> Array:
    there = np.flatnonzero(known >= 0)
    grades[there] = 0.0
    grades[there, known[there]] = 1.0
    return grades


def _normalised(values: Array) -> Array:
    return np.asarray(values / (values @ np.ones(values.shape[-1]))[..., None])
