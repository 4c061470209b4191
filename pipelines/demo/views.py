"""Product photos: where a product lies in the frame, on what background, and the street scenes it is seen in.

Functions take a Generator and return RGB images; no files, no catalogue.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.demo.paint import Affine, drop_shadow, ground_shadow, paint, visible_box
from pipelines.demo.palette import SHAPES, Look
from pipelines.demo.sketch import Archetype, Part, Sketch, Variant

Box = tuple[int, int, int, int]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Product:
    """What is photographed: an archetype at one place on its axes, in one look and one shape."""

    archetype: Archetype
    variant: Variant
    look: Look
    shape: str = "regular"


def parts_of(product: Product) -> list[Part]:
    """Draw the product and stretch it to its shape."""
    sketch = Sketch()
    product.archetype.draw(sketch, product.variant)
    stretch = np.array(SHAPES[product.shape])
    return [Part(part.points * stretch, part.role, part.light) for part in sketch.parts]


def canvas_scale(size: Size) -> int:
    """Return how many times finer than the photo the canvas is: small photos are painted at twice their size."""
    return 2 if max(size) <= 420 else 1


def placement(
    size: Size, scale: float, turn: float = 0.0, squeeze: float = 1.0, shear: float = 0.0, flip: bool = False
) -> Affine:
    """Return `[2, 3]` that puts the drawing in the middle of a canvas; `scale` 1 nearly fills it, `turn` in degrees."""
    unit = min(size[0] / 2.25, size[1] / 2.75) * scale
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    matrix = np.array([[c, -s], [s, c]]) @ np.array([[squeeze * (-1 if flip else 1), shear], [0.0, 1.0]]) * unit
    return np.hstack([matrix, [[size[0] / 2], [size[1] / 2]]])


def fitted(place: Affine, parts: list[Part], size: Size, margin: float = 0.04) -> Affine:
    """Centre the parts in the canvas and shrink them where they would stick out."""
    points = np.vstack([part.points for part in parts]) @ place[:, :2].T
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array(size) * (1 - 2 * margin)
    shrink = min(1.0, *(room / np.maximum(high - low, 1e-6)))
    return np.hstack([place[:, :2] * shrink, (np.array(size) / 2 - (low + high) / 2 * shrink)[:, None]])


def view_of(number: int, parts: list[Part], size: Size, rng: np.random.Generator) -> Affine:
    """Return where photo `number` of an item shows it: 0 front, 1 angled, 2 a detail, 3 and more from another angle."""
    if number == 0:
        return fitted(placement(size, float(rng.uniform(0.92, 1.0)), float(rng.uniform(-1.5, 1.5))), parts, size)
    if number == 2:
        place = fitted(placement(size, 1.0, float(rng.uniform(-8, 8))), parts, size)
        zoom = float(rng.uniform(1.7, 2.1))
        aim = np.array(size) / 2 + rng.uniform(-0.16, 0.16, 2) * size
        return np.hstack([place[:, :2] * zoom, ((place[:, 2] - aim) * zoom + np.array(size) / 2)[:, None]])
    turn = float(rng.uniform(9, 20)) * (1 if rng.random() < 0.5 else -1)
    squeeze, shear = float(rng.uniform(0.76, 0.9)), float(rng.uniform(-0.14, 0.14))
    return fitted(placement(size, float(rng.uniform(0.8, 0.92)), turn, squeeze, shear, flip=number > 2), parts, size)


def backdrop(size: Size, rng: np.random.Generator, plain: bool) -> Image.Image:
    """Return a studio background: white, off-white or a pale colour, falling off downwards."""
    if plain or rng.random() < 0.45:
        return Image.new("RGB", size, (255, 255, 255))
    top = rng.integers(236, 256, 3) if rng.random() < 0.6 else rng.integers(214, 250, 3)
    low = top - rng.integers(4, 22)
    ramp = np.linspace(top, low, 16)[:, None, :].astype(np.uint8)
    return Image.fromarray(ramp).resize(size)


def product_photo(
    product: Product, number: int, size: Size, rng: np.random.Generator, *, white: bool = False
) -> Image.Image:
    """Return photo `number` of a product, RGB of `size` (width, height); `white` asks for a pure white ground."""
    fine = canvas_scale(size)
    large = (size[0] * fine, size[1] * fine)
    parts = parts_of(product)
    place = view_of(number, parts, large, rng)
    canvas = backdrop(large, rng, plain=white or (number == 0 and rng.random() < 0.5))
    if product.archetype.stands and number != 2:
        ground_shadow(canvas, visible_box([p.points @ place[:, :2].T + place[:, 2] for p in parts], large), 0.42)
    else:
        drop_shadow(canvas, parts, place, 0.3)
    paint(canvas, parts, product.look, place)
    return canvas.reduce(fine) if fine > 1 else canvas
