"""How far a training is, and what follows: the learning rate, the size and the order of its photos. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

WARM_UP_SHARE = 0.15
GROWTH = ((0.3, 0.75), (1.0, 1.0))
"""(until this share of the training, photos of this share of the full height and width)."""
LEAST_STEPS = 24
"""However few minutes there are."""


def share_done(step: int, spent_s: float, *, steps: int | None, minutes: float) -> float:
    """Return how much of a training is done, 0 to 1: by its steps where they are given, else by its minutes.

    What is left of the minutes decides, not a forecast, so that a busy machine trains less and not longer.
    """
    if steps is not None:
        return min(1.0, step / steps)
    return min(1.0, spent_s / (60.0 * minutes), step / LEAST_STEPS)


@dataclass(frozen=True)
class Phase:
    """A part of a training: between which shares of it, and whether the trunk's body stays as it was meanwhile."""

    begin: float
    end: float
    frozen: bool

    def done(self, share: float) -> float:
        """Return how much of the phase is done, 0 to 1, at a share of the training."""
        return min(1.0, (share - self.begin) / (self.end - self.begin))


def phase_at(share: float, head_share: float) -> Phase:
    """Return the phase at a share of the training: the head alone for `head_share` of it, then all.

    A head that is still random would pull a trunk that has learned already out of shape (Kumar et al. 2022,
    arXiv 2202.10054).
    """
    return Phase(0.0, head_share, frozen=True) if share < head_share else Phase(head_share, 1.0, frozen=False)


def one_cycle(share: float, peak: float) -> float:
    """Return the learning rate at a share of the training: linear up to `peak`, a cosine down to 0.

    Smith 2018, arXiv 1803.09820.
    """
    if share < WARM_UP_SHARE:
        return peak * (0.04 + 0.96 * share / WARM_UP_SHARE)
    return peak * 0.5 * (1.0 + math.cos(math.pi * min(1.0, (share - WARM_UP_SHARE) / (1.0 - WARM_UP_SHARE))))


def size_at(share: float, height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) to train at: small photos first, and full ones at the end.

    Most of what is to be learned is learned at a fraction of the cost (Tan and Le 2021, arXiv 2104.00298).
    """
    scale = next(scale for until, scale in GROWTH if share < until or until == 1.0)
    return round(scale * height), round(scale * width)


def rows_of_step(step: int, count: int, batch: int, seed: int) -> np.ndarray:
    """Return the int64 rows of a step's batch: every epoch is a new permutation, and depends on (seed, epoch) alone."""
    batch = min(batch, count)
    per_epoch = count // batch
    epoch, place = divmod(step, per_epoch)
    order = _permutation(count, seed, epoch)
    return order[place * batch : (place + 1) * batch]


_latest: tuple[tuple[int, int, int], np.ndarray] | None = None


def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    global _latest  # noqa: PLW0603 - one epoch's order is asked for at every step of it
    key = (count, seed, epoch)
    if _latest is None or _latest[0] != key:
        _latest = (key, np.random.default_rng([seed, epoch]).permutation(count))
    return _latest[1]
