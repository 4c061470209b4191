"""A part of a photo: what is prepared is what a person sees in the box, however the photo is stored."""

import io

import numpy as np
import pytest
from PIL import Image

from transforms.image import prepare
from transforms.photo import BadPhoto, Box, Limits, PrepSpec

SPEC = PrepSpec(48, 48, 100)
LIMITS = Limits(min_side=8)


def scene(width: int = 400, height: int = 240) -> Image.Image:
    """Four quarters of colours that tell them, with a slope within."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    pixels = np.stack([200 * across, 200 * down, 120 * (across > 0.5) + 100 * (down > 0.5)], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def stored(picture: Image.Image, orientation: int, kind: str) -> bytes:
    """A file that shows the picture, its pixels turned as a camera leaves them."""
    back = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    turned = picture if back is None else picture.transpose(back)
    turned.save(out, kind, exif=exif, **({"quality": 98, "subsampling": 0} if kind == "JPEG" else {}))
    return out.getvalue()


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg))).astype(float)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_what_is_seen_in_it(orientation: int, kind: str) -> None:
    picture, box = scene(), (210, 20, 390, 110)
    wanted = io.BytesIO()
    picture.crop(box).save(wanted, "PNG")
    found = prepare(stored(picture, orientation, kind), SPEC, LIMITS, Box(*box))
    assert np.abs(pixels(found.jpeg) - pixels(prepare(wanted.getvalue(), SPEC, LIMITS).jpeg)).mean() < 2
    assert (found.width, found.height) == (400, 240)


@pytest.mark.parametrize("box", [(0, 0, 400, 240), (0, 0, 4000, 2400)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_box_around_all_is_the_photo(kind: str, box: tuple[int, int, int, int]) -> None:
    data = stored(scene(), 6, kind)
    assert prepare(data, SPEC, LIMITS, Box(*box)).jpeg == prepare(data, SPEC, LIMITS).jpeg


@pytest.mark.parametrize("box", [(395, 0, 500, 240), (0, 236.5, 400, 240), (500, 300, 600, 400)])
def test_a_box_that_shows_next_to_nothing_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadPhoto, match=r"too_small: a box of .* of a photo of 400 x 240"):
        prepare(stored(scene(), 1, "PNG"), SPEC, LIMITS, Box(*box))


@pytest.mark.parametrize(
    "box", [(10, 0, 10, 5), (5, 5, 1, 9), (-1, 0, 5, 5), (0, 0, float("nan"), 5), (0, 0, float("inf"), 5)]
)
def test_what_is_no_box(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="is no box: left < right"):
        Box(*box)
