"""Outlines -> pixels: fills, light and shadow of one product on a canvas. Knows no files and no catalogue.

Everything is painted by Pillow in integers, on a canvas of at least the photo's size (see `photos.canvas_scale`).
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipelines.demo.geometry import Points
from pipelines.demo.palette import MATERIALS, RGB, Look, Material, mix, role_colours
from pipelines.demo.sketch import Part
from pipelines.demo.texture import grain, pattern_image

Affine = npt.NDArray[np.float64]
LIGHTS: Final = ("flat", "soft", "tube", "ball", "top", "glow")
_SURFACES: Final = ("main", "trim", "accent", "light")
_INK: Final[RGB] = (20, 18, 24)
_BLACK: Final[RGB] = (0, 0, 0)
_WHITE: Final[RGB] = (255, 255, 255)
_SOFT: Final = Image.Resampling.BILINEAR
_N: Final = 32


class Cloth(NamedTuple):
    """The surface of the main parts of one product; `left` and `top` say where it lies on the canvas."""

    image: Image.Image
    left: int
    top: int

    def under(self, left: int, top: int, right: int, bottom: int) -> Image.Image:
        """Return the piece that lies under a box of the canvas."""
        return self.image.crop((left - self.left, top - self.top, right - self.left, bottom - self.top))


def paint(canvas: Image.Image, parts: Sequence[Part], look: Look, place: Affine) -> tuple[int, int, int, int]:
    """Paint the parts on `canvas` (RGB) and return the box of what is on it: left, top, right, bottom in pixels.

    `place` is `[2, 3]` and takes drawing coordinates to pixels.
    """
    outlines = [part.points @ place[:, :2].T + place[:, 2] for part in parts]
    main = [points for part, points in zip(parts, outlines, strict=True) if part.role == "main"]
    cloth = _cloth(look, visible_box(main, canvas.size), place) if main else None
    colours, material = role_colours(look), MATERIALS[look.material]
    draw = ImageDraw.Draw(canvas)
    width = max(1, round(min(canvas.size) / 220))
    for part, points in zip(parts, outlines, strict=True):
        fill = cloth if cloth and part.role == "main" else colours[part.role]
        _paint_part(canvas, part, points, fill, material)
        draw.line(
            [*map(tuple, points.tolist()), tuple(points[0])], fill=mix(colours[part.role], _INK, 0.45), width=width
        )
    return visible_box(outlines, canvas.size)


def visible_box(outlines: Sequence[Points], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the whole pixels that hold all the outlines, cut at the edges of a canvas of `size`."""
    every = np.vstack(list(outlines))
    left, top = np.clip(np.floor(every.min(axis=0)), 0, [size[0] - 1, size[1] - 1]).astype(int)
    right, bottom = np.clip(np.ceil(every.max(axis=0)), [left + 1, top + 1], size).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _cloth(look: Look, box: tuple[int, int, int, int], place: Affine) -> Cloth:
    """Return the patterned, grained surface that lies under `box`."""
    size = (box[2] - box[0], box[3] - box[1])
    inverse = np.linalg.inv(place[:, :2])
    offset = inverse @ (np.array(box[:2]) - place[:, 2])
    image = pattern_image(look, size, np.hstack([inverse, offset[:, None]]))
    material = MATERIALS[look.material]
    tile = grain(material.grain, material.rough)
    if size[0] > tile.size[0] or size[1] > tile.size[1]:
        tile = tile.resize((max(size), max(size)))
    image.paste(_BLACK, (0, 0, *size), tile.crop((0, 0, *size)))
    return Cloth(image, box[0], box[1])


def _paint_part(canvas: Image.Image, part: Part, points: Points, fill: Cloth | RGB, material: Material) -> None:
    left, top, right, bottom = visible_box([points], canvas.size)
    size = (right - left, bottom - top)
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon(list(map(tuple, (points - (left, top)).tolist())), fill=255)
    if part.light == "flat" and not isinstance(fill, Cloth):
        canvas.paste(fill, (left, top, right, bottom), mask)
        return
    patch = fill.under(left, top, right, bottom) if isinstance(fill, Cloth) else Image.new("RGB", size, fill)
    if part.light != "flat":
        _light(patch, mask, part, material)
    canvas.paste(patch, (left, top), mask)


def _light(patch: Image.Image, mask: Image.Image, part: Part, material: Material) -> None:
    """Darken and brighten `patch`. Light is laid on as black and white through a mask, one pass each."""
    whole = (0, 0, *patch.size)
    small = (max(2, min(_N * 2, patch.size[0] // 4)), max(2, min(_N * 2, patch.size[1] // 4)))
    surface = part.role in _SURFACES
    depth = round(material.depth * 10) if surface else 6
    shade = _shade(part.light, depth).resize(small, _SOFT)
    if part.light == "soft":
        body = mask.resize(small, Image.Resampling.BOX).filter(ImageFilter.BoxBlur(max(1.0, min(small) * 0.12)))
        shade = ImageChops.screen(shade, body.point(_edge_curve(depth)))
    patch.paste(_BLACK, whole, shade.resize(patch.size, _SOFT))
    gloss = round(material.gloss * 10) if surface else (6 if part.role == "metal" else 0)
    if gloss and min(patch.size) > 12:
        patch.paste(_WHITE, whole, _shine(part.light, gloss).resize(patch.size, _SOFT))


def _tile(values: npt.NDArray[np.float64]) -> Image.Image:
    return Image.fromarray((255 * np.clip(values, 0, 1)).astype(np.uint8))


@cache
def _edge_curve(depth: int) -> list[int]:
    """Return the darkness for a blurred mask of 0 to 255: darker towards the edge of a part."""
    return [round(255 * depth / 10 * 0.75 * (1 - min(1.0, level / 235))) for level in range(256)]


@cache
def _shade(light: str, depth: int) -> Image.Image:
    """Return a `[32, 32]` tile of darkness; `depth` is in tenths."""
    y, x = np.mgrid[0:_N, 0:_N] / (_N - 1)
    dark = {
        "soft": 0.35 * (x + y) / 2,
        "tube": 1.3 * np.abs(x - 0.38) ** 1.6 * 1.4,
        "ball": 1.15 * np.clip(np.hypot(x - 0.38, y - 0.34) - 0.1, 0, None) ** 1.4,
        "top": 0.55 * y,
        "glow": 0.75 * np.hypot((x - 0.5) * 1.2, (y - 0.75) * 0.8),
    }[light]
    return _tile(depth / 10 * dark)


@cache
def _shine(light: str, gloss: int) -> Image.Image:
    """Return a `[32, 32]` tile of highlight; `gloss` is in tenths."""
    y, x = np.mgrid[0:_N, 0:_N] / (_N - 1)
    spot = {
        "tube": np.exp(-(((x - 0.27) / 0.08) ** 2)) * (0.35 + 0.65 * (1 - y)),
        "ball": np.exp(-(((x - 0.34) / 0.13) ** 2 + ((y - 0.28) / 0.1) ** 2)),
    }.get(light, np.exp(-(((x * 0.8 + y - 0.52) / 0.12) ** 2)) * 0.8)
    return _tile(spot * gloss / 10 * 0.55)


def drop_shadow(canvas: Image.Image, parts: Sequence[Part], place: Affine, strength: float) -> None:
    """Darken the canvas softly below and to the right of the parts, as of a thing laid flat."""
    small = (max(2, canvas.size[0] // 4), max(2, canvas.size[1] // 4))
    mask = Image.new("L", small)
    draw = ImageDraw.Draw(mask)
    shift = np.array([small[0] * 0.016, small[1] * 0.018])
    for part in parts:
        points = (part.points @ place[:, :2].T + place[:, 2]) / 4 + shift
        draw.polygon(list(map(tuple, points.tolist())), fill=round(255 * strength))
    canvas.paste(_INK, (0, 0), mask.filter(ImageFilter.BoxBlur(max(1.0, small[0] / 40))).resize(canvas.size, _SOFT))


def ground_shadow(canvas: Image.Image, box: tuple[int, int, int, int], strength: float) -> None:
    """Darken the ground under a standing thing that will fill `box`."""
    left, _, right, bottom = box
    half = max(4, round((right - left) * 0.56))
    high = max(3, round((right - left) * 0.11))
    tile = _spot(strength).resize((2 * half, 2 * high), _SOFT)
    canvas.paste(_INK, ((left + right) // 2 - half, bottom - round(high * 1.15)), tile)


@cache
def _spot(strength: float) -> Image.Image:
    y, x = np.mgrid[-1 : 1 : _N * 1j, -1 : 1 : _N * 1j]
    return _tile(strength * np.clip(1 - np.hypot(x, y), 0, 1) ** 0.8)
