"""Two releases on the same queries: how far apart they are, and how sure that is.

Queries of one split group (variants, equal photos, equal titles) rise and fall together, so groups are drawn, not
queries: the cluster bootstrap (Davison and Hinkley 1997, section 3.8).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate.metrics import Values
from pipelines.tables.arrow import flat, index_of

DRAWS = 2000
DRAWN_AT_ONCE = 100
LEVEL = 5
"""Bounds are one-sided and hold with 95 %: the 5th percentile of the draws."""
LEAST_GROUPS = 30
"""With fewer there is no bound: percentiles of few clusters are too narrow."""
UNSEEN = "unseen."


@dataclass(frozen=True)
class Difference:
    """How much larger a metric is of one release than of another: the mean over `pairs` queries in `groups`.

    `lower` and `upper` are one-sided 95 % bounds. `theirs` is the other's mean over the same queries; None where the
    differences are all that is known.
    """

    mean: float
    lower: float
    upper: float
    pairs: int
    groups: int
    theirs: float | None = None

    @property
    def is_bounded(self) -> bool:
        """Tell whether there were groups enough for the bounds to mean something."""
        return self.groups >= LEAST_GROUPS


def difference(ours: pa.Table, theirs: pa.Table, name: str) -> Difference | None:
    """Compare a metric of two releases on the queries common to both (tables of `scores`).

    A query counts that has the same leaf in both, which both models had learned (but for measures of leaves that were
    not), and of which both say something. Returns None when there is no such query, or one does not measure the metric.
    """
    if name not in ours.column_names or name not in theirs.column_names:
        return None
    where = index_of(ours["digest"], theirs["digest"])
    mine, other = ours.filter(pa.array(where >= 0)), theirs.take(pa.array(where[where >= 0]))
    comparable = pc.and_(pc.is_valid(mine[name]), pc.is_valid(other[name]))
    comparable = pc.and_(comparable, pc.equal(mine["leaf"], other["leaf"]))
    if not name.startswith(UNSEEN):
        comparable = pc.and_(comparable, pc.and_(mine["known"], other["known"]))
    mine, other = mine.filter(comparable), other.filter(comparable)
    if not mine.num_rows:
        return None
    theirs, weights = np.asarray(other[name], np.float64), np.asarray(mine["weight"], np.float64)
    found = bounded(np.asarray(mine[name], np.float64) - theirs, weights, mine["group"], name)
    return replace(found, theirs=float(np.average(theirs, weights=weights)))


def bounded(values: Values, weights: Values, groups: pa.ChunkedArray, name: str) -> Difference:
    """Return the weighted mean of `values` with bounds; `name` seeds the draws, so that they are the same tomorrow."""
    codes = np.asarray(flat(groups.dictionary_encode()).indices, np.int64)
    sums = np.bincount(codes, weights * values).astype(np.float64)
    totals = np.bincount(codes, weights).astype(np.float64)
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
    means = [_drawn_means(random, sums, totals) for _ in range(DRAWS // DRAWN_AT_ONCE)]
    lower, upper = np.percentile(np.concatenate(means), [LEVEL, 100 - LEVEL])
    mean = float(sums.sum() / totals.sum())
    return Difference(mean, min(float(lower), mean), max(float(upper), mean), len(values), len(sums))


def _drawn_means(random: np.random.Generator, sums: Values, totals: Values) -> Values:
    drawn = random.integers(0, len(sums), (DRAWN_AT_ONCE, len(sums)))
    means: Values = sums[drawn].sum(axis=1) / totals[drawn].sum(axis=1)
    return means
