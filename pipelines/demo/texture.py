"""Patterns and grains as pixels. Owns how a surface looks; knows no outlines and no products."""

from functools import cache, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.demo.palette import COLOURS, RGB, Look, mix

Floats = npt.NDArray[np.float32]
_TILE: Final = 512


def pattern_image(look: Look, size: tuple[int, int], inverse: npt.NDArray[np.float64]) -> Image.Image:
    """Return the pattern of `look` as an RGB image of `size` (width, height).

    `inverse` is `[2, 3]`: it takes pixels to the coordinates of the drawing, so that a pattern turns with its product.
    """
    ground, figure = COLOURS[look.colour], COLOURS[look.second]
    if look.pattern == "solid":
        return Image.new("RGB", size, ground)
    x = np.arange(size[0], dtype=np.float32)[None, :]
    y = np.arange(size[1], dtype=np.float32)[:, None]
    m = (_turned(look.turn) @ inverse / look.size).astype(np.float32)
    levels = _levels(look.pattern, m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2])
    # A palette image is coloured in Pillow, five times faster than by indexing.
    image = Image.frombytes("P", size, np.ascontiguousarray(levels).tobytes())
    image.putpalette(_ramp(ground, figure))
    return image.convert("RGB")


@lru_cache(maxsize=512)
def _ramp(ground: RGB, figure: RGB) -> list[int]:
    return [value for share in range(256) for value in mix(ground, figure, share / 255)]


def _turned(degrees: float) -> npt.NDArray[np.float64]:
    turn = np.radians(degrees)
    return np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def _levels(pattern: str, u: Floats, v: Floats) -> npt.NDArray[np.uint8]:
    """Return how much of the second colour there is, 0 to 255, at drawing coordinates `u`, `v`."""
    if pattern == "stripes":
        return _on(_saw(v, 0.28) < 0.45)
    if pattern == "pinstripes":
        return _on(_saw(u, 0.13) < 0.22)
    if pattern == "diagonal":
        return _on(_saw(u + v, 0.4) < 0.42)
    if pattern == "checks":
        return ((_saw(u, 0.24) < 0.5).astype(np.uint8) + (_saw(v, 0.24) < 0.5)) * np.uint8(120)
    if pattern == "plaid":
        wide = (_saw(u, 0.5) < 0.34).astype(np.uint8) + (_saw(v, 0.5) < 0.34)
        thin = (np.abs(_saw(u, 0.5) - 0.7) < 0.05) | (np.abs(_saw(v, 0.5) - 0.7) < 0.05)
        return np.where(thin, np.uint8(255), wide * np.uint8(85))
    if pattern == "dots":
        row = np.floor(v / 0.2)
        return _on((_saw(u + 0.1 * (row % 2), 0.2) - 0.5) ** 2 + (_saw(v, 0.2) - 0.5) ** 2 < 0.085)
    if pattern == "gradient":
        return np.clip((v + 1.0 + 0.0 * u) * 128, 0, 255).astype(np.uint8)
    if pattern == "zigzag":
        return _on(_saw(v + 0.5 * np.abs(_saw(u, 0.3) - 0.5) * 0.3, 0.24) < 0.45)
    tile = _flowers() if pattern == "floral" else _clouds()
    grid = tile.shape[0] / 0.8
    return tile[(v * grid).astype(np.int32) % tile.shape[0], (u * grid).astype(np.int32) % tile.shape[1]]


def _saw(values: Floats, period: float) -> Floats:
    scaled = values / np.float32(period)
    return scaled - np.floor(scaled)


def _on(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return mask.view(np.uint8) * np.uint8(255)


@cache
def _flowers() -> npt.NDArray[np.uint8]:
    side = 160
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    tile = np.zeros((side, side), np.uint8)
    for cx, cy, radius in ((30, 34, 27), (104, 22, 19), (74, 86, 29), (140, 78, 20), (26, 124, 20), (116, 132, 27)):
        dx, dy = (x - cx + side / 2) % side - side / 2, (y - cy + side / 2) % side - side / 2
        petals = np.hypot(dx, dy) < radius * (0.72 + 0.28 * np.cos(5 * np.arctan2(dy, dx)))
        tile[petals] = 255
        tile[np.hypot(dx, dy) < radius * 0.28] = 90
    return tile


@cache
def _clouds() -> npt.NDArray[np.uint8]:
    noise = _smooth_noise(np.random.default_rng(7), 160, 12)
    return np.digitize(noise, np.quantile(noise, [0.4, 0.72])).astype(np.uint8) * np.uint8(127)


def _smooth_noise(rng: np.random.Generator, side: int, cells: int, rows: int | None = None) -> Floats:
    """Return tiling noise of `[side, side]` with about `cells` bumps a side."""
    coarse = rng.random((rows or cells, cells)).astype(np.float32)
    padded = np.pad(coarse, 3, mode="wrap")
    scale = side / cells, side / (rows or cells)
    image = Image.fromarray(padded).resize(
        (round(padded.shape[1] * scale[0]), round(padded.shape[0] * scale[1])), Image.Resampling.BICUBIC
    )
    left, top = round(3 * scale[0]), round(3 * scale[1])
    return np.asarray(image)[top : top + side, left : left + side]


@cache
def grain(kind: str, rough: float) -> Image.Image:
    """Return an L tile of darkness to lay over a surface: 0 where it is plain, up to `rough` of 255 where it is not."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[0:_TILE, 0:_TILE].astype(np.float32)
    noise = rng.random((_TILE, _TILE)).astype(np.float32)
    makers = {
        "fine": lambda: noise,
        "weave": lambda: 0.25 * ((x % 4 < 2) != (y % 4 < 2)) + 0.75 * noise,
        "knit": lambda: np.clip(np.abs((x % 12) - 6) / 6 * 0.6 + 0.5 * (((y + np.abs((x % 12) - 6)) % 8) < 3), 0, 1),
        "twill": lambda: 0.5 * (((x + y) % 6) < 3) + 0.5 * noise,
        "pebble": lambda: _smooth_noise(rng, _TILE, 150) > 0.6,
        "speckle": lambda: _smooth_noise(rng, _TILE, 170) > 0.72,
        "wood": lambda: 0.5 + 0.5 * np.sin(y / 5 + 9 * _smooth_noise(rng, _TILE, 4, 8)),
        "veins": lambda: np.clip(1 - 9 * np.abs(_smooth_noise(rng, _TILE, 9) - 0.5), 0, 1),
        "brushed": lambda: _smooth_noise(rng, _TILE, 8, 256),
    }
    depth = np.clip(np.asarray(makers[kind](), dtype=np.float32), 0, 1) * rough
    return Image.fromarray((255 * depth).astype(np.uint8))
