import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipelines.demo.honest import ODD_KINDS, png16, wide_gamut_profile
from transforms.image import prepare
from transforms.photo import PrepSpec


def picture() -> Image.Image:
    """A red square above a green one on white: any turn or flip shows."""
    pixels = np.full((60, 48, 3), 255, np.uint8)
    pixels[6:24, 6:24] = (200, 40, 40)
    pixels[34:52, 12:42] = (40, 160, 60)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ODD_KINDS)
def test_an_odd_photo_is_prepared_as_it_was_meant(kind):
    data, _ = ODD_KINDS[kind](picture())
    shown = np.asarray(Image.open(io.BytesIO(prepare(data, PrepSpec(60, 48)).jpeg)), dtype=float)
    meant = np.asarray(picture().convert("L").convert("RGB") if "grey" in kind else picture(), dtype=float)
    assert np.abs(shown - meant).mean() < 4


@pytest.mark.parametrize("kind", ODD_KINDS)
def test_an_odd_photo_has_equal_bytes_every_time(kind):
    assert ODD_KINDS[kind](picture()) == ODD_KINDS[kind](picture())


@pytest.mark.parametrize(
    ("kind", "form", "mode", "frames"),
    [
        ("cmyk_jpeg", "JPEG", "CMYK", 1),
        ("rgba_png", "PNG", "RGBA", 1),
        ("palette_png_transparent", "PNG", "P", 1),
        ("grey16_png", "PNG", "I;16", 1),
        ("animated_gif", "GIF", "P", 3),
        ("animated_webp", "WEBP", "RGB", 3),
        ("webp_transparent", "WEBP", "RGBA", 1),
        ("png_named_jpg", "PNG", "RGB", 1),
    ],
)
def test_a_kind_is_what_it_says(kind, form, mode, frames):
    data, _ = ODD_KINDS[kind](picture())
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, getattr(image, "n_frames", 1)) == (form, mode, frames)


@pytest.mark.parametrize("number", range(2, 9))
def test_an_exif_orientation_is_stored(number):
    data, _ = ODD_KINDS[f"exif_orientation_{number}"](picture())
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif()[0x0112] == number
        assert image.size == ((60, 48) if number >= 5 else (48, 60))


def test_transparent_pixels_hide_black():
    data, _ = ODD_KINDS["rgba_png"](picture())
    with Image.open(io.BytesIO(data)) as image:
        assert image.getpixel((0, 0)) == (0, 0, 0, 0)


def test_sixteen_bits_hold_the_eight_bits_twice():
    data = png16(np.array([[[0x12], [0xFF]]], np.uint8))
    with Image.open(io.BytesIO(data)) as image:
        assert np.asarray(image).tolist() == [[0x1212, 0xFFFF]]


def test_the_wide_profile_is_one_and_changes_colours():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(wide_gamut_profile()))
    assert ImageCms.getProfileDescription(profile).strip() == "demo wide gamut"
    red = Image.new("RGB", (1, 1), (255, 0, 0))
    moved = ImageCms.profileToProfile(red, ImageCms.createProfile("sRGB"), profile)
    assert moved is not None
    assert 200 < moved.getpixel((0, 0))[0] < 235  # pure sRGB red is .86 of the wide red: 219
