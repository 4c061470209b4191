"""How long and how fast to learn: the one-cycle rate, the order of examples, and steps from a budget of minutes. Pure."""

from __future__ import annotations

import math

import numpy as np

WARM_UP_SHARE = 0.15


def one_cycle(step: int, total: int, peak: float) -> float:
    """Return the learning rate of a step: linear up to `peak`, then a cosine down to 0 (Smith 2018, arXiv 1803.09820)."""
    warm_up = max(1, round(WARM_UP_SHARE * total))
    if step < warm_up:
        return peak * (0.04 + 0.96 * step / warm_up)
    return peak * 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - warm_up) / max(1, total - warm_up))))


def steps_for(minutes: float, seconds_a_step: float, spent_s: float, minimum: int) -> int:
    """Return how many steps fit into the rest of a budget, at least `minimum`."""
    return max(minimum, int((minutes * 60.0 - spent_s) / seconds_a_step))


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
