"""Outlines of drawn things as point arrays. Owns plane geometry; knows nothing of pixels, colours or products.

Coordinates: x to the right and y down, the middle of the photo at 0, a product inside about [-1, 1] x [-1.2, 1.2].
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def poly(*corners: tuple[float, float]) -> Points:
    """Return the corners as `[corners, 2]` float64."""
    return np.array(corners, dtype=np.float64)


def smooth(points: Points, *, closed: bool = True, rounds: int = 2) -> Points:
    """Round the corners of `[n, 2]` by Chaikin's corner cutting; an open path keeps its ends."""
    for _ in range(rounds):
        after = np.roll(points, -1, axis=0) if closed else points[1:]
        before = points if closed else points[:-1]
        cut = np.empty((2 * len(before), 2))
        cut[0::2] = 0.75 * before + 0.25 * after
        cut[1::2] = 0.25 * before + 0.75 * after
        points = cut if closed else np.vstack([points[:1], cut, points[-1:]])
    return points


def blob(*corners: tuple[float, float]) -> Points:
    """Return a closed outline through the neighbourhood of the corners, without sharp edges."""
    return smooth(poly(*corners))


def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Points:
    """Return a rectangle, its corners rounded by `radius`."""
    radius = min(radius, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
    if radius <= 0:
        return poly((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    turns = np.linspace(0, np.pi / 2, 5)
    corners = [
        (x1 - radius, y1 - radius),
        (x0 + radius, y1 - radius),
        (x0 + radius, y0 + radius),
        (x1 - radius, y0 + radius),
    ]
    arcs = [
        np.stack([cx + radius * np.cos(turns + k * np.pi / 2), cy + radius * np.sin(turns + k * np.pi / 2)], axis=1)
        for k, (cx, cy) in enumerate(corners)
    ]
    return np.vstack(arcs)


def oval(cx: float, cy: float, rx: float, ry: float | None = None, start: float = 0.0, stop: float = 360.0) -> Points:
    """Return an ellipse, or its arc from `start` to `stop` degrees (clockwise from the right)."""
    return _arc(start, stop) * (rx, rx if ry is None else ry) + (cx, cy)


@lru_cache(maxsize=256)
def _arc(start: float, stop: float) -> Points:
    turns = np.radians(np.linspace(start, stop, max(6, int(28 * abs(stop - start) / 360))))
    return np.stack([np.cos(turns), np.sin(turns)], axis=1)


def regular(cx: float, cy: float, rx: float, ry: float, sides: int, turn: float = -90.0) -> Points:
    """Return a regular polygon stretched to radii `rx`, `ry`, its first corner at `turn` degrees."""
    turns = np.radians(turn + np.arange(sides) * 360.0 / sides)
    return np.stack([cx + rx * np.cos(turns), cy + ry * np.sin(turns)], axis=1)


def star(cx: float, cy: float, radius: float, inner: float = 0.45, tips: int = 5) -> Points:
    """Return a star whose notches lie at `inner` of its radius."""
    points = regular(cx, cy, radius, radius, 2 * tips)
    points[1::2] = (points[1::2] - (cx, cy)) * inner + (cx, cy)
    return points


def tube(path: Points, width: float, end_width: float | None = None) -> Points:
    """Return the outline of a stroke along an open path `[n, 2]`, its width going from `width` to `end_width`."""
    steps = np.gradient(path, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-9)
    normals = np.stack([-steps[:, 1], steps[:, 0]], axis=1) / lengths[:, None]
    half = np.linspace(width, width if end_width is None else end_width, len(path))[:, None] / 2
    return np.vstack([path + normals * half, (path - normals * half)[::-1]])


def bar(x0: float, y0: float, x1: float, y1: float, width: float, end_width: float | None = None) -> Points:
    """Return a straight stroke between two points."""
    return tube(poly((x0, y0), (x1, y1)), width, end_width)


def bend(*corners: tuple[float, float], width: float, end_width: float | None = None) -> Points:
    """Return a stroke along a rounded path."""
    return tube(smooth(poly(*corners), closed=False), width, end_width)


def flip(points: Points) -> Points:
    """Return the mirror image left to right."""
    return points * (-1.0, 1.0)


def mirrored(*right: tuple[float, float]) -> Points:
    """Return a closed outline from its right half, given from top to bottom."""
    half = poly(*right)
    return np.vstack([half, flip(half)[::-1]])
