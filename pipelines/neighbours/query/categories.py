"""Which categories a query looks in.

Owns the fusion of the model's opinion with a vote of the nearest neighbours (Alibaba 2018, arXiv 2102.04674) and the
cut to the best few.
"""

import numpy as np

from pipelines.tables.arrays import Floats, Ints

VOTE_SHARPNESS = 10.0
"""A neighbour weighs exp(sharpness x similarity): .1 closer counts e times as much."""


def vote(scores: Floats, slots: Ints, num_slots: int) -> Floats:
    """Return the share `[num_queries, num_slots]` of each category in the neighbours' votes, zeros without any.

    `scores` are the neighbours' similarities `[num_queries, k]`, `slots` what they vote for, -1 for nothing; so is a
    slot that the model has no column for.
    """
    counted = (slots >= 0) & (slots < num_slots)
    weights = np.where(counted, np.exp(VOTE_SHARPNESS * np.where(counted, scores, 0.0)), 0.0)
    votes = np.zeros((len(slots), num_slots), np.float64)
    np.add.at(votes, (np.arange(len(slots))[:, None], np.where(counted, slots, 0)), weights)
    totals = votes.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(votes, totals, out=votes, where=totals > 0).astype(np.float32)
    return shares


def fuse(probabilities: Floats, votes: Floats, weight: float) -> Floats:
    """Return `(1 - weight) x probabilities + weight x votes`; a query without votes keeps its probabilities."""
    voted = votes.any(axis=1, keepdims=True)
    return np.where(voted, (1 - weight) * probabilities + weight * votes, probabilities).astype(np.float32)


def choose(probabilities: Floats, present: Ints, trained: Ints | None, count: int, mass: float) -> list[Ints]:
    """Return the category slots that each query scans, best first.

    Of the categories `present` in the index, the best `count`, and more until their probabilities sum to `mass`: where
    a model is sure few are scanned, where it is not many. One of probability 0 is never added; a `mass` of 1 adds all
    others. Those that no model was
    trained for (not in `trained`, or beyond the columns of `probabilities`) cannot be predicted and are always scanned:
    what was just listed in a new category would be invisible otherwise.
    """
    known = (present >= 0) & (present < probabilities.shape[1])
    if trained is not None:
        known &= np.isin(present, trained)
    candidates, always = present[known], present[~known]
    scores = probabilities[:, candidates]
    order = np.argsort(-scores, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(scores, order, axis=1), axis=1, dtype=np.float64)
    # The category that reaches the mass is still scanned; sums of rounded numbers may never reach 1.
    short = sums < mass - 1e-6 if mass < 1 else np.ones_like(sums, bool)
    enough = np.minimum(1 + short.sum(axis=1), (scores > 0).sum(axis=1))
    cuts = np.maximum(enough, count)
    return [np.concatenate([candidates[best[:cut]], always]) for best, cut in zip(order, cuts, strict=True)]
