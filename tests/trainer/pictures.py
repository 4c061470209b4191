"""Three pictures that come out alike wherever they are drawn: noise, a ramp of colours, and a disc on white."""

from __future__ import annotations

import numpy as np


def pictures(side: int) -> np.ndarray:
    """Return uint8 [3, side, side, 3]."""
    noise = np.random.default_rng(7).integers(0, 256, (side, side, 3))
    place = np.arange(side)
    ramp = np.stack(np.broadcast_arrays(place[:, None], place[None, :], place[::-1, None]), axis=-1) * 255 // (side - 1)
    inside = (2 * place - side)[:, None] ** 2 + (2 * place - side)[None, :] ** 2 < side**2 // 2
    disc = np.where(inside[..., None], np.array([200, 60, 20]), 255)
    return np.stack([noise, ramp, disc]).astype(np.uint8)
