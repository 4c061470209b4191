"""What grades make of the lists of both releases: graded precision at 10 of each query, and means with their bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from pipelines.judge.task import DEPTH, Question
from pipelines.tables.arrays import Array

DRAWS: Final = 2_000
SEED: Final = 1
SAME: Final = 1e-9


@dataclass(frozen=True)
class Mean:
    """A mean over queries, between the bounds of a bootstrap over these; at one look, not at many."""

    value: float
    lower: float
    upper: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Preferences:
    """For how many queries the list of the first release is better, of the second, and neither."""

    first: int
    second: int
    alike: int


def precisions(queries: Sequence[Sequence[Question]], gains: Mapping[str, float]) -> Array:
    """Return the graded precision of the lists of both releases, float64 `[queries, 2]`, given each question's gain."""
    found = np.zeros((len(queries), 2))
    for place, pairs in enumerate(queries):
        for question in pairs:
            for side, rank in enumerate((question.first_rank, question.second_rank)):
                found[place, side] += 0.0 if rank is None else gains[question.question_id] / DEPTH
    return found


def mean_of(values: Array, confidence: float) -> Mean | None:
    """Return the mean of float64 `[queries]`, with percentile bounds of `DRAWS` bootstraps; None of no queries."""
    if not len(values):
        return None
    rng = np.random.default_rng(SEED)
    means = np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(DRAWS)])
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(means, [tail, 1 - tail])
    return Mean(float(values.mean()), float(lower), float(upper))


def preferences(found: Array) -> Preferences:
    """Return which list is better for how many queries, given their precisions `[queries, 2]`."""
    better = found[:, 1] - found[:, 0]
    first, second = int((better < -SAME).sum()), int((better > SAME).sum())
    return Preferences(first, second, len(found) - first - second)
