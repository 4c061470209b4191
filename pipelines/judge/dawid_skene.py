"""Grades and raters, told from each other: the EM algorithm of Dawid and Skene (1979, Applied Statistics 28(1), 20-28).

Each rater has a confusion matrix, the chance of each answer given the true grade, and each item a distribution over
grades. What is known of an item stays as it is; a prior on the matrices keeps those of few answers sensible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.tables.arrays import Array, Ints

MOST_ROUNDS: Final = 200
CLOSE_ENOUGH: Final = 1e-6
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


def told_by(items: Ints, raters: Ints, answers: Ints, k: int, known: Ints, prior: Array | None = None) -> Told:
    """Return what answers tell: each of a rater (from 0) to an item (from 0), a grade (from 0, below `k`).

    `items`, `raters` and `answers` are int64 `[answers]`; a rater may answer an item several times. `known` int64
    `[items]` is the grade of an item where it is known, else -1. `prior` float64 `[k, k]` is added to each rater's
    counts.
    """
    count, people = len(known), int(raters.max(initial=-1)) + 1
    places = (raters * k * k + answers).astype(np.int64)
    given = np.zeros((count, k))
    np.add.at(given, (items, answers), 1.0)
    grades = _pinned(_normalised(given + TINY), known)
    added = np.zeros((k, k)) if prior is None else prior
    confusion, shares = _counted(grades, items, places, people, k, added), _shares(grades, known)
    for _ in range(MOST_ROUNDS):
        logs = np.log(confusion + TINY)
        likely = np.tile(np.log(shares + TINY), (count, 1))
        of_answers = logs[raters, :, answers]
        for grade in range(k):
            likely[:, grade] += np.bincount(items, of_answers[:, grade], count)
        before, grades = grades, _pinned(_normalised(np.exp(likely - likely.max(axis=1, keepdims=True))), known)
        confusion, shares = _counted(grades, items, places, people, k, added), _shares(grades, known)
        if np.abs(grades - before).max(initial=0.0) < CLOSE_ENOUGH:
            break
    return Told(grades, confusion, shares)


def _counted(grades: Array, items: Ints, places: Ints, people: int, k: int, prior: Array) -> Array:
    """Return the confusion matrices, given how probable each item's grades are."""
    counts = np.zeros((people, k, k))
    for grade in range(k):
        flat = np.bincount(places + grade * k, grades[items, grade], people * k * k)
        counts += flat.reshape(people, k, k)
    return _normalised(counts + prior + TINY)


def _shares(grades: Array, known: Ints) -> Array:
    """Return how often each grade occurs, among items of which it is not known."""
    open_ones = grades[known < 0]
    return (
        _normalised(open_ones.sum(axis=0) + TINY) if len(open_ones) else np.full(grades.shape[1], 1 / grades.shape[1])
    )


def _pinned(grades: Array, known: Ints) -> Array:
    there = np.flatnonzero(known >= 0)
    grades[there] = 0.0
    grades[there, known[there]] = 1.0
    return grades


def _normalised(values: Array) -> Array:
    return np.asarray(values / values.sum(axis=-1, keepdims=True))
