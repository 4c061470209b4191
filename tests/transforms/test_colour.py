"""Colour profiles, and transparency over white, with the expected colours worked out by hand."""

import pytest
from PIL import Image

from tests.transforms.odd_profiles import cmyk_profile, gamma_profile, grey_profile, srgb_profile, swapped_profile
from transforms.colour import to_srgb_over_white
from transforms.modes import to_resizable


def only_colour(image: Image.Image) -> tuple[int, ...]:
    colours = image.getcolors()
    assert colours is not None
    assert len(colours) == 1, colours
    return colours[0][1]


def converted(image: Image.Image, *profiles: bytes) -> tuple[int, ...]:
    return only_colour(to_srgb_over_white(to_resizable(image), profiles))


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("CMYK", (255, 0, 0, 0), (0, 255, 255)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("CMYK", (0, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("LA", (0, 51), (204, 204, 204)),  # a fifth of black over white
        ("RGBX", (10, 20, 30, 0), (10, 20, 30)),
        ("La", (0, 51), (204, 204, 204)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 32896, (128, 128, 128)),  # 128 * 257
        ("I;16", 128, (0, 0, 0)),
        ("I;16", 129, (1, 1, 1)),  # 129 / 257 rounds up
        ("I;16B", 32896, (128, 128, 128)),
    ],
)
def test_every_mode_becomes_rgb_over_white(mode, colour, expected):
    assert converted(Image.new(mode, (4, 4), colour)) == expected


def test_a_profile_is_applied():
    assert converted(Image.new("RGB", (4, 4), (200, 100, 0)), swapped_profile()) == pytest.approx((0, 100, 200), abs=2)


@pytest.mark.parametrize("name", ["sRGB", "sRGB-elle-V2-g10", "sRGB IEC61966-2.1", "Linear sRGB", ""])
def test_a_linear_profile_is_applied_whatever_it_is_called(name):
    # Light of 55 / 255 = .2157 is sRGB 1.055 * .2157 ** (1 / 2.4) - .055 = .502, or 128.
    assert converted(Image.new("RGB", (4, 4), (55, 55, 55)), gamma_profile(1.0, name)) == pytest.approx(
        (128,) * 3, abs=1
    )


def test_alpha_is_laid_over_white_once_colours_are_right():
    # 55 of linear light is shown as 128; half of it over white is 255 - 127 / 2.
    half = Image.new("LA", (4, 4), (55, 128))
    assert converted(half, grey_profile(1.0)) == pytest.approx((191,) * 3, abs=2)
    half = Image.new("RGBA", (4, 4), (55, 55, 55, 128))
    assert converted(half, gamma_profile(1.0)) == pytest.approx((191,) * 3, abs=2)


def test_the_profile_of_a_press_is_applied_to_its_inks():
    cyan = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    assert converted(cyan) == (0, 255, 255)
    assert converted(cyan, cmyk_profile()) == pytest.approx((255, 0, 0), abs=12)
    assert converted(Image.new("CMYK", (4, 4), (0, 0, 0, 0)), cmyk_profile()) == pytest.approx((255, 255, 255), abs=2)


def test_the_profile_of_colour_is_applied_to_grey_as_colour():
    assert converted(Image.new("L", (4, 4), 100), swapped_profile()) == pytest.approx((100, 100, 100), abs=2)
    assert converted(Image.new("L", (4, 4), 55), gamma_profile(1.0)) == pytest.approx((128, 128, 128), abs=2)


@pytest.mark.parametrize("profile", [b"", b"nonsense", srgb_profile()[:200], srgb_profile(), srgb_profile("Line")])
def test_profiles_that_are_broken_or_are_srgb_change_nothing(profile):
    assert converted(Image.new("RGB", (4, 4), (200, 100, 0)), profile) == (200, 100, 0)


def test_a_profile_of_another_colour_space_is_ignored():
    assert converted(Image.new("RGB", (4, 4), (200, 100, 0)), cmyk_profile()) == (200, 100, 0)
    assert converted(Image.new("CMYK", (4, 4), (255, 0, 0, 0)), srgb_profile()) == (0, 255, 255)
    assert converted(Image.new("RGB", (4, 4), (200, 100, 0)), grey_profile(1.0)) == (200, 100, 0)


def test_the_first_profile_that_fits_counts():
    picture = Image.new("RGB", (4, 4), (200, 100, 0))
    swapped = pytest.approx((0, 100, 200), abs=2)
    assert converted(picture, b"nonsense", cmyk_profile(), swapped_profile(), gamma_profile(1.0)) == swapped
    assert converted(picture, srgb_profile(), swapped_profile()) == (200, 100, 0)
