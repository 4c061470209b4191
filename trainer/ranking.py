"""What category and attributes are worth in a ranking, by validation photos that search one another. Numpy and scipy.

The trunk has drawn its training photos together by class: how those rank one another says nothing of new ones. A result
is worth its category first, then each attribute that it shares with the query, as in eBay's re-ranking by aspects (of
2017, arXiv 1706.03154); the loss is RankNet's (Burges et al. 2005).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.config import CATEGORY_WEIGHT, SAME_PHOTO

LEAST_QUERIES = 200
"""Fewer searches say nothing that is beyond chance."""
CANDIDATES, PAIRS, TOP = 100, 60, 10
BLOCK = 512
SHRINKAGE = 1e-4
LEAST_COSINE = 0.05
"""The least weight of the cosine, each likeness divided by its spread: others stay numbers beside its 1."""


@dataclass(frozen=True)
class HeldOut:
    """What a model says of validation photos, and what they are.

    `unit` float32 [n, dim], L2-normalised; by label, the leaf's and the attributes', `probabilities` float32 [n,
    classes] and `slots` int [n], -1 where it is not known.
    """

    unit: np.ndarray
    probabilities: Mapping[str, np.ndarray]
    slots: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Ranking:
    """What category and attributes weigh beside a cosine's 1, as `model.json` has it, and how many photos searched."""

    category: float
    attributes: dict[str, float]
    photos: int

    def __str__(self) -> str:
        """What the log says of it."""
        weights = {"the category": self.category, **self.attributes}
        told = ", ".join(f"{weight:.3g} for {name}" for name, weight in weights.items())
        return f"results are ranked by the cosine and {told}, as learned from {self.photos} held-out photos"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what names a model beside its weights."""
        numbers = {"category": self.category, "photos": self.photos}
        numbers |= {f"attribute/{name}": weight for name, weight in self.attributes.items()}
        return {f"ranking/{name}": np.array(value) for name, value in numbers.items()}


def learn_ranking(held_out: HeldOut, leaf: str, attributes: Mapping[str, str]) -> Ranking | None:
    """Return the weights by which held-out photos rank one another best; `attributes`: the label of each by its name.

    None where there are too few photos, or where weights that one half of them asks for do not serve the other: beyond
    chance, the first ten results must share more with the query than where nothing is learned, and their category no
    less often.
    """
    asked = np.flatnonzero(held_out.slots[leaf] >= 0)
    if len(asked) < LEAST_QUERIES:
        return None
    labels = [leaf, *attributes.values()]
    likeness, grades, same = _searched(held_out, asked, labels)
    half = np.arange(len(asked)) % 2 == 0
    for learns, judges in ((half, ~half), (~half, half)):
        weights = _fit(likeness[learns], grades[learns])
        if not _serves(likeness[judges], grades[judges], same[judges], weights):
            return None
    category, *others = (round(float(weight), 4) for weight in _fit(likeness, grades))
    return Ranking(category, dict(zip(attributes, others, strict=True)), len(asked))


def _searched(held_out: HeldOut, asked: np.ndarray, labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of the nearest photos of each that asks: their likeness, their grades, and whether the category is right.

    Likeness float32 [queries, candidates, 1 + labels] by cosine and labels; grades int8 and bool [queries,
    candidates].
    """
    count = min(CANDIDATES, len(held_out.unit) - 1)
    likeness, grades, same = [], [], []
    for start in range(0, len(asked), BLOCK):
        rows = asked[start : start + BLOCK]
        cosines = held_out.unit[rows] @ held_out.unit.T
        cosines[cosines >= SAME_PHOTO] = -2  # itself, and copies
        near = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        found = [np.take_along_axis(cosines, near, axis=1)]
        equal = []
        for place, label in enumerate(labels):
            slots, probabilities = held_out.slots[label], held_out.probabilities[label]
            theirs, own = slots[near], slots[rows][:, None]
            likely = np.take_along_axis(probabilities[rows], np.maximum(theirs, 0), axis=1)
            found.append(np.where(theirs >= 0, 2 * likely - 1 if place else likely, 0))
            equal.append((theirs == own) & (own >= 0))
        likeness.append(np.stack(found, axis=2).astype(np.float32))
        same.append(equal[0])
        grades.append((equal[0] * (1 + np.sum(equal[1:], axis=0, dtype=np.int8))).astype(np.int8))
    return np.concatenate(likeness), np.concatenate(grades), np.concatenate(same)


def _fit(likeness: np.ndarray, grades: np.ndarray) -> np.ndarray:
    """Return the weights float64 [labels] beside the cosine's 1 that put better results first, none negative."""
    from scipy.optimize import minimize
    from scipy.special import expit

    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, grades.shape[1], (len(grades), PAIRS)) for _ in range(2))
    better, worse = (np.take_along_axis(grades, one, axis=1).astype(np.int32) for one in (first, second))
    gains = np.abs(better - worse)
    query, pair = np.nonzero(gains)
    if not len(query):  # all are equally good
        return np.zeros(likeness.shape[2] - 1)
    swapped = (better < worse)[query, pair]
    first, second = first[query, pair], second[query, pair]
    better, worse = np.where(swapped, second, first), np.where(swapped, first, second)
    ahead = (likeness[query, better] - likeness[query, worse]).astype(np.float64)
    shares = gains[query, pair] / np.maximum(1, np.count_nonzero(gains, axis=1))[query]
    spread = ahead.std(axis=0)
    scale = np.where(spread > 0, spread, np.inf)  # what never differs weighs nothing
    ahead, shares = ahead / scale, shares / shares.sum()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = ahead @ weights
        slope = -(shares * expit(-margin)) @ ahead
        value = float((shares * np.logaddexp(0, -margin)).sum() + SHRINKAGE * weights @ weights)
        return value, slope + 2 * SHRINKAGE * weights

    bounds = [(LEAST_COSINE, None), *[(0, None)] * (ahead.shape[1] - 1)]
    weights = minimize(loss, np.ones(ahead.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x / scale
    found: np.ndarray = weights[1:] / weights[0]
    return found


def _serves(likeness: np.ndarray, grades: np.ndarray, same: np.ndarray, weights: np.ndarray) -> bool:
    """Tell whether the first results share more with the query by these weights, and its category no less often."""
    cosine = likeness[:, :, 0]
    plain = cosine + CATEGORY_WEIGHT * likeness[:, :, 1]
    weighted = cosine + likeness[:, :, 1:] @ weights.astype(np.float32)
    more, categories = (_first(weighted, of) - _first(plain, of) for of in (grades, same))
    return bool(more.mean() > 2 * _error(more) and categories.mean() >= -2 * _error(categories))


def _first(scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    mean: np.ndarray = np.take_along_axis(values, order, axis=1).mean(axis=1)
    return mean


def _error(values: np.ndarray) -> float:
    return float(values.std() / np.sqrt(len(values)))
