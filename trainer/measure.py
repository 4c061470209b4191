"""How good predictions are: top-1 and macro accuracy of each head. Pure numpy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def accuracies(guesses: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return {'top1.<label>', 'macro.<label>'}: the share that is right, and its mean over classes.

    Unlabelled ones are left out.
    """
    found: dict[str, float] = {}
    for name, slots in truth.items():
        known = slots >= 0
        right = (guesses[name] == slots)[known]
        found[f"top1.{name}"] = float(right.mean()) if len(right) else 0.0
        found[f"macro.{name}"] = _macro(right, slots[known])
    return found


def _macro(right: np.ndarray, slots: np.ndarray) -> float:
    if not len(slots):
        return 0.0
    counts = np.bincount(slots)
    hits = np.bincount(slots, weights=right, minlength=len(counts))
    return float((hits[counts > 0] / counts[counts > 0]).mean())
