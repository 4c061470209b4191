"""Street views: a product as a customer's phone sees it, somewhere in a scene, with a known box.

Functions take a Generator and return pixels; no files, no catalogue.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipelines.demo.geometry import Points, bend, box, oval
from pipelines.demo.paint import Affine, drop_shadow, paint, visible_box
from pipelines.demo.palette import RGB
from pipelines.demo.sketch import Part
from pipelines.demo.views import Box, Product, Size, canvas_scale, parts_of, placement

Scene = Callable[[Size, np.random.Generator], Image.Image]
_MARGIN: Final = 0.03


def street_photo(
    product: Product, size: Size, rng: np.random.Generator, beside: Product | None = None
) -> tuple[Image.Image, Box]:
    """Return (RGB photo of `size`, box of the product in its pixels); `beside` is another product in the picture."""
    fine = canvas_scale(size)
    large = (size[0] * fine, size[1] * fine)
    canvas = SCENES[int(rng.integers(len(SCENES)))](large, rng)
    if beside is not None:
        _paint_beside(canvas, beside, rng)
    parts = parts_of(product)
    place = somewhere(parts, large, rng)
    drop_shadow(canvas, parts, place, 0.4)
    left, top, right, bottom = paint(canvas, parts, product.look, place)
    occlude(canvas, (left, top, right, bottom), rng)
    photo = canvas.reduce(fine) if fine > 1 else canvas
    seen = (left // fine, top // fine, min(size[0], -(-right // fine)), min(size[1], -(-bottom // fine)))
    return camera(photo, rng), seen


def somewhere(parts: list[Part], size: Size, rng: np.random.Generator) -> Affine:
    """Return a place for the parts: turned, squeezed, smaller than the frame and wholly inside it."""
    place = placement(
        size, float(rng.uniform(0.55, 0.85)), float(rng.uniform(-24, 24)), float(rng.uniform(0.8, 1.0)),
        float(rng.uniform(-0.18, 0.18)), flip=rng.random() < 0.3,
    )  # fmt: skip
    points = np.vstack([part.points for part in parts]) @ place[:, :2].T
    low, high = points.min(axis=0), points.max(axis=0)
    frame = np.array(size)
    room = frame * (1 - 2 * _MARGIN)
    shrink = min(1.0, *(room / np.maximum(high - low, 1e-6)))
    slack = room - (high - low) * shrink
    corner = frame * _MARGIN + slack * rng.uniform(0.05, 0.95, 2)
    return np.hstack([place[:, :2] * shrink, (corner - low * shrink)[:, None]])


def occlude(canvas: Image.Image, target: Box, rng: np.random.Generator) -> None:
    """Put something before the target three times in four: a post, leaves or a sign, over a small part of its box."""
    kind = int(rng.integers(4))
    left, top, right, bottom = target
    width, height = right - left, bottom - top
    draw = ImageDraw.Draw(canvas)
    if kind == 0:
        half = width * float(rng.uniform(0.03, 0.08))
        x = left + width * float(rng.uniform(0.15, 0.85))
        draw.rectangle((x - half, 0, x + half, canvas.size[1]), fill=_colour(rng, 50, 120))
        draw.rectangle((x - half, 0, x - half * 0.4, canvas.size[1]), fill=_colour(rng, 120, 170))
    elif kind == 1:
        cx, cy = left + width * float(rng.choice([0.04, 0.96])), bottom - height * float(rng.uniform(0, 0.3))
        for _ in range(5):
            turn, reach = float(rng.uniform(0, 360)), min(width, height) * float(rng.uniform(0.12, 0.24))
            leaf = oval(0.5, 0, 0.5, 0.2) * reach
            draw.polygon(_flat(_turn(leaf, turn) + np.array([cx, cy])), fill=_green(rng))
    elif kind == 2:
        w, h = width * float(rng.uniform(0.25, 0.45)), height * float(rng.uniform(0.14, 0.26))
        x, y = left + float(rng.uniform(-0.1, 0.75)) * width, top + float(rng.choice([-0.06, 0.82])) * height
        draw.polygon(_flat(box(x, y, x + w, y + h, h * 0.2)), fill=_colour(rng, 60, 240))


def camera(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return what a phone makes of a scene: uneven light, a colour cast, some blur and noise."""
    width, height = photo.size
    gain = rng.uniform(0.62, 1.12) * (1 + rng.uniform(-0.09, 0.09, 3))
    turn = float(rng.uniform(0, 2 * np.pi))
    x, y = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    light = (1 + float(rng.uniform(0.05, 0.3)) * (x * np.cos(turn) + y * np.sin(turn))) * (1 - 0.12 * (x * x + y * y))
    if rng.random() < 0.35:
        photo = photo.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.0)) * width / 200))
    pixels = np.asarray(photo, dtype=np.float32) * (light[:, :, None] * gain).astype(np.float32)
    pixels += rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(2, 9))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _paint_beside(canvas: Image.Image, beside: Product, rng: np.random.Generator) -> None:
    parts = parts_of(beside)
    place = placement(canvas.size, float(rng.uniform(0.3, 0.45)), float(rng.uniform(-30, 30)))
    place[:, 2] = np.array(canvas.size) * (rng.choice([0.1, 0.9]), rng.uniform(0.15, 0.85))
    outlines = [part.points @ place[:, :2].T + place[:, 2] for part in parts]
    if visible_box(outlines, canvas.size)[2] > 2:
        paint(canvas, parts, beside.look, place)


def _street(size: Size, rng: np.random.Generator) -> Image.Image:
    scene = Image.new("RGB", size, _colour(rng, 170, 225))
    draw, horizon = ImageDraw.Draw(scene), size[1] * float(rng.uniform(0.5, 0.72))
    x = 0.0
    while x < size[0]:
        wide, roof = size[0] * float(rng.uniform(0.18, 0.36)), horizon * float(rng.uniform(0.0, 0.5))
        wall = _colour(rng, 90, 200)
        draw.rectangle((x, roof, x + wide, horizon), fill=wall)
        for row in np.arange(roof + size[1] * 0.04, horizon - size[1] * 0.06, size[1] * 0.11):
            for column in np.arange(x + wide * 0.14, x + wide * 0.8, wide * 0.3):
                draw.rectangle((column, row, column + wide * 0.16, row + size[1] * 0.06), fill=(86, 98, 116))
        x += wide
    draw.rectangle((0, horizon, *size), fill=_colour(rng, 110, 160))
    for step in range(4):
        at = size[0] * (step - 0.5) / 2
        draw.line((size[0] / 2 + (at - size[0] / 2) * 0.3, horizon, at, size[1]), fill=(96, 98, 100), width=2)
    return scene.filter(ImageFilter.BoxBlur(size[0] / 130))


def _room(size: Size, rng: np.random.Generator) -> Image.Image:
    scene = Image.new("RGB", size, _colour(rng, 160, 235))
    draw, floor = ImageDraw.Draw(scene), size[1] * float(rng.uniform(0.6, 0.8))
    draw.rectangle((0, floor, *size), fill=(150, 112, 78))
    for y in np.linspace(floor, size[1], 6):
        draw.line((0, y, size[0], y), fill=(122, 88, 60), width=2)
    x = size[0] * float(rng.uniform(0.05, 0.6))
    draw.rectangle(
        (x, size[1] * 0.1, x + size[0] * 0.34, size[1] * 0.42),
        fill=(196, 222, 240),
        outline=(250, 250, 250),
        width=size[0] // 50,
    )
    draw.rectangle((0, floor - size[1] * 0.03, size[0], floor), fill=(240, 238, 232))
    return scene.filter(ImageFilter.BoxBlur(size[0] / 160))


def _grass(size: Size, rng: np.random.Generator) -> Image.Image:
    coarse = rng.integers(0, 60, (40, 32, 1))
    pixels = (np.array([58, 104, 40]) + coarse * [0.8, 1.3, 0.5]).astype(np.uint8)
    scene = Image.fromarray(pixels).resize(size)
    draw = ImageDraw.Draw(scene)
    for _ in range(14):
        at = rng.uniform(0, 1, 2) * size
        draw.polygon(_flat(oval(float(at[0]), float(at[1]), size[0] * 0.016)), fill=(244, 240, 210))
    return scene


def _planks(size: Size, rng: np.random.Generator) -> Image.Image:
    tone = np.array(_colour(rng, 110, 190)) * (1.0, 0.78, 0.58)
    rows = np.repeat(rng.uniform(0.82, 1.1, (7, 1)), 12, axis=0)
    rows[::12] *= 0.6
    waves = 1 + 0.05 * np.sin(np.arange(64)[None, :] * rng.uniform(0.2, 0.6) + np.arange(84)[:, None] * 1.7)
    return Image.fromarray(np.clip((rows * waves)[:, :, None] * tone, 0, 255).astype(np.uint8)).resize(size)


def _bricks(size: Size, rng: np.random.Generator) -> Image.Image:
    scene = Image.new("RGB", size, (196, 186, 174))
    draw, high = ImageDraw.Draw(scene), size[1] / 15
    tone = np.array(_colour(rng, 110, 180)) * (1.1, 0.66, 0.54)
    for row in range(15):
        for column in range(-1, 6):
            x = (column + 0.5 * (row % 2)) * size[0] / 5
            fill = tuple(int(c) for c in np.clip(tone * rng.uniform(0.85, 1.12), 0, 255))
            draw.rectangle((x + 2, row * high + 2, x + size[0] / 5 - 2, row * high + high - 2), fill=fill)
    return scene


def _shop(size: Size, rng: np.random.Generator) -> Image.Image:
    scene = Image.new("RGB", size, _colour(rng, 180, 225))
    draw = ImageDraw.Draw(scene)
    for shelf in (0.22, 0.5, 0.78):
        y = size[1] * shelf
        x = size[0] * float(rng.uniform(0, 0.08))
        while x < size[0]:
            w, h = size[0] * float(rng.uniform(0.05, 0.13)), size[1] * float(rng.uniform(0.06, 0.17))
            draw.rectangle((x, y - h, x + w, y), fill=_colour(rng, 60, 230))
            x += w * float(rng.uniform(1.05, 1.5))
        draw.rectangle((0, y, size[0], y + size[1] * 0.025), fill=(120, 92, 70))
    return scene.filter(ImageFilter.BoxBlur(size[0] / 70))


def _blanket(size: Size, rng: np.random.Generator) -> Image.Image:
    scene = Image.new("RGB", size, _colour(rng, 120, 220))
    draw = ImageDraw.Draw(scene)
    for _ in range(7):
        x, y = rng.uniform(-0.2, 1.1, 2) * size
        fold = bend(
            (x, y), (x + size[0] * 0.3, y + size[1] * 0.1), (x + size[0] * 0.5, y + size[1] * 0.4), width=size[0] * 0.12
        )
        draw.polygon(_flat(fold), fill=_colour(rng, 110, 215))
    soft = scene.filter(ImageFilter.BoxBlur(size[0] / 12))
    return ImageChops.multiply(soft, Image.new("RGB", size, (244, 240, 236)))


SCENES: Final[tuple[Scene, ...]] = (_street, _room, _grass, _planks, _bricks, _shop, _blanket)


def _colour(rng: np.random.Generator, low: int, high: int) -> RGB:
    base = int(rng.integers(low, high))
    r, g, b = (int(np.clip(base + rng.integers(-26, 27), 0, 255)) for _ in range(3))
    return r, g, b


def _green(rng: np.random.Generator) -> RGB:
    return int(rng.integers(30, 80)), int(rng.integers(90, 150)), int(rng.integers(30, 70))


def _turn(points: Points, degrees: float) -> Points:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array([[c, s], [-s, c]])


def _flat(points: Points) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points]
