"""How far raters agree beyond chance: Krippendorff's alpha for ordered grades."""

from __future__ import annotations

import numpy as np

from pipelines.tables.arrays import Array, Ints


def alpha(items: Ints, answers: Ints, k: int) -> float | None:
    """Return Krippendorff's alpha of answers (int64 `[answers]`, ordered grades from 0 to `k` - 1) to items.

    1 is full agreement, 0 that of chance. None where no item has two answers, or all answers are alike. The metric is
    the ordinal one of Krippendorff (2011, Computing Krippendorff's Alpha-Reliability).
    """
    counts = np.zeros((int(items.max(initial=-1)) + 1, k))
    np.add.at(counts, (items, answers), 1.0)
    counts = counts[counts.sum(axis=1) > 1]
    if not len(counts):
        return None
    weights = 1 / (counts.sum(axis=1) - 1)
    coincidences = (counts * weights[:, None]).T @ counts - np.diag((counts * weights[:, None]).sum(axis=0))
    totals = coincidences.sum(axis=0)
    distances = _ordinal(totals)
    expected = (np.outer(totals, totals) * distances).sum() / (totals.sum() - 1)
    return None if expected <= 0 else float(1 - (coincidences * distances).sum() / expected)


def _ordinal(totals: Array) -> Array:
    """Return the squared ordinal distance between each two grades, float64 `[k, k]`, given how often each occurs."""
    middles = np.cumsum(totals) - totals / 2
    return np.asarray((middles[:, None] - middles[None, :]) ** 2)
