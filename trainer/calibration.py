"""How sure a model may sound, and how many categories hold the right one: set on validation photos. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COVERAGE, CONFIDENCE = 0.99, 0.95
"""The right leaf is to be among those scanned for this share of queries, and we want to be so sure of it."""
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.25, 8.0
SLACK = 1e-4
"""Probabilities of one photo differ by as much between machines and batches."""
BLOCK = 512


@dataclass(frozen=True)
class Calibration:
    """What validation photos say of the leaf head.

    Logits are divided by `temperature`; the best leaves whose probabilities sum to `category_mass`, and those that were
    not learned, hold the right one for 99 % of photos. `photos` of learned leaves were looked at.
    """

    temperature: float
    category_mass: float
    photos: int

    def __str__(self) -> str:
        """What the log says of it."""
        if not self.photos:
            return "no held-out photo is of a learned leaf, so the probabilities are as they come"
        photos = "photo" if self.photos == 1 else "photos"
        return (
            f"probabilities are calibrated by {self.photos} held-out {photos} (temperature {self.temperature:.2f}; the "
            f"best leaves with {self.category_mass:.3f} of them hold the right one)"
        )


def masked_log_softmax(logits: np.ndarray, learned: np.ndarray, temperature: float) -> np.ndarray:
    """Return the log probabilities float64 [n, classes] over the `learned` classes (bool), -inf for the others."""
    scaled = np.where(learned, np.asarray(logits, np.float64) / temperature, -np.inf)
    scaled -= scaled.max(axis=1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))


def calibrate(logits: np.ndarray, slots: np.ndarray, learned: np.ndarray) -> Calibration:
    """Return temperature and mass for logits float32 [n, leaves] of photos whose leaf is `slots` int [n].

    Photos of unknown leaves (-1) say nothing. All queries scan the leaves that were not `learned` (bool [leaves]),
    so nothing is ahead of them. Without a photo of a learned leaf the mass is 1, which is everything.
    """
    usable = (slots >= 0) & learned[np.maximum(slots, 0)]
    if not usable.any():
        return Calibration(1.0, 1.0, 0)
    always = np.zeros(int(((slots >= 0) & ~usable).sum()))
    logits, slots = logits[usable], slots[usable]
    temperature = fit_temperature(logits, slots, learned)
    ahead = np.concatenate(
        [always, *(mass_ahead(logits[part], slots[part], learned, temperature) for part in _blocks(len(slots)))]
    )
    return Calibration(round(temperature, 4), category_mass(ahead), len(slots))


def fit_temperature(logits: np.ndarray, slots: np.ndarray, learned: np.ndarray) -> float:
    """Return the temperature of the least cross-entropy (Guo et al. 2017, arXiv 1706.04599)."""
    from scipy.optimize import minimize_scalar

    def cross_entropy(log_temperature: float) -> float:
        total = 0.0
        for part in _blocks(len(slots)):
            found = masked_log_softmax(logits[part], learned, float(np.exp(log_temperature)))
            total -= found[np.arange(len(found)), slots[part]].sum()
        return total / len(slots)

    bounds = (np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE))
    return float(np.exp(minimize_scalar(cross_entropy, bounds=bounds, method="bounded", options={"xatol": 0.01}).x))


def mass_ahead(logits: np.ndarray, slots: np.ndarray, learned: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probability float64 [n] of the leaves that are looked at before each photo's own.

    Equal ones come by column, as a query plan orders them.
    """
    probabilities = np.exp(masked_log_softmax(logits, learned, temperature))
    own = probabilities[np.arange(len(slots)), slots][:, None]
    before = (probabilities > own) | ((probabilities == own) & (np.arange(probabilities.shape[1]) < slots[:, None]))
    ahead: np.ndarray = np.where(before, probabilities, 0.0).sum(axis=1)
    return ahead


def category_mass(ahead: np.ndarray) -> float:
    """Return the least mass that covers 99 % of photos like these, given the mass ahead of each one's own leaf.

    It is an order statistic of the sample, high enough that the share covered is 99 % with a confidence of 95 % (Wilks
    1941; Vovk 2012, arXiv 1209.2673); of 99 to 298 photos the largest, which covers 99 % on average; of fewer 1.
    """
    from scipy.stats import beta

    count = len(ahead)
    ranks = np.arange(1, count + 1)
    enough = np.flatnonzero(beta.ppf(1 - CONFIDENCE, ranks, count + 1 - ranks) >= COVERAGE)
    if not len(enough) and (count + 1) * COVERAGE > count:
        return 1.0
    rank = int(enough[0]) if len(enough) else count - 1
    return round(min(1.0, float(np.sort(ahead)[rank]) + SLACK), 6)


def _blocks(count: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
