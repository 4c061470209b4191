"""The colours of a photo as a histogram: what a search without any model compares by."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 64
BINS = 4
DIM = BINS**3
LOWEST, SPAN = np.array([0.0, -64.0, -64.0]), np.array([100.0, 128.0, 128.0])
"""L* is cut in 4 from 0 to 100, a* and b* from -64 to 64; the few colours of sRGB outside fall into the last."""

RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
"""sRGB's primaries and white point (IEC 61966-2-1, D65)."""


def colour_histogram(jpeg: bytes) -> npt.NDArray[np.float32]:
    """Return the roots of the shares of a photo's pixels in 4 x 4 x 4 bins of CIE L*a*b*, float32 `[64]`, of length 1.

    Inner products of these are Bhattacharyya coefficients: 1 for equal colours, 0 for none in common.
    """
    with Image.open(io.BytesIO(jpeg)) as picture:
        small = picture.convert("RGB")
        small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
        lab = lab_of(np.asarray(small).reshape(-1, 3))
    cells = np.clip(((lab - LOWEST) / SPAN * BINS).astype(np.int64), 0, BINS - 1)
    counts = np.bincount(cells @ np.array([BINS * BINS, BINS, 1]), minlength=DIM)
    return np.sqrt(counts / counts.sum()).astype(np.float32)


def lab_of(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return sRGB pixels `[n, 3]` as CIE L*a*b*, float64 `[n, 3]`."""
    share = rgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ RGB_TO_XYZ.T / WHITE
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
