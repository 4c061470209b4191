"""How long, how fast and how large to learn: rate, order and size of the photos, steps from minutes. Pure."""

from __future__ import annotations

import math

import numpy as np

WARM_UP_SHARE = 0.15
GROWTH = ((0.4, 0.6), (0.75, 0.8), (1.0, 1.0))
"""(until this share of the steps, train on photos of this share of the full height and width)."""


def one_cycle(step: int, total: int, peak: float) -> float:
    """Return the learning rate of a step: linear up to `peak`, a cosine down to 0 (Smith 2018, arXiv 1803.09820)."""
    warm_up = max(1, round(WARM_UP_SHARE * total))
    if step < warm_up:
        return peak * (0.04 + 0.96 * step / warm_up)
    return peak * 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - warm_up) / max(1, total - warm_up))))


def size_of_step(step: int, total: int, height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) that a step trains at: small photos first, and full ones at the end.

    Most of what is to be learned is learned at a fraction of the cost (Tan and Le 2021, arXiv 2104.00298).
    """
    scale = next(scale for until, scale in GROWTH if step < until * total or until == 1.0)
    return round(scale * height), round(scale * width)


def steps_for(minutes: float, seconds_a_full_step: float, spent_s: float, minimum: int) -> int:
    """Return how many growing steps fit into the rest of a budget, at least `minimum`."""
    starts = (0.0, *(until for until, _ in GROWTH[:-1]))
    cost = sum((until - start) * scale**2 for start, (until, scale) in zip(starts, GROWTH, strict=True))
    return max(minimum, int((minutes * 60.0 - spent_s) / (seconds_a_full_step * cost)))


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
