"""Colour modes and profiles, with the expected colours worked out by hand."""

import itertools
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.transforms import odd_photos as odd
from transforms.colour import to_resizable, to_srgb_over_white
from transforms.photo import BadPhoto

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def only_colour(image: Image.Image) -> tuple[int, ...]:
    colours = image.getcolors()
    assert colours is not None
    assert len(colours) == 1, colours
    return colours[0][1]


def converted(image: Image.Image, profile: bytes | None) -> tuple[int, ...]:
    return only_colour(to_srgb_over_white(to_resizable(image), profile))


def cmyk_profile() -> bytes:
    """A profile of a printer that has been filled with red ink where cyan should be; other inks are black.

    Layout: header, tag table, and one lut8 (mft1) of 2 grid points for each of 4 inks, giving CIELAB.
    """
    identity = bytes(range(256))
    nodes = b""
    for cyan, *rest in itertools.product((0, 1), repeat=4):
        lightness, a, b = (0, 0, 0) if any(rest) else (54, 81, 70) if cyan else (100, 0, 0)  # 54, 81, 70 is red
        nodes += bytes([round(lightness * 2.55), a + 128, b + 128])
    matrix = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    lut = b"mft1\0\0\0\0\x04\x03\x02\0" + matrix + identity * 4 + nodes + identity * 3
    lut += bytes(-len(lut) % 4)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    table = struct.pack(">I", 2) + b"wtpt" + struct.pack(">II", 156, len(white))
    table += b"A2B0" + struct.pack(">II", 156 + len(white), len(lut))
    size = 128 + len(table) + len(white) + len(lut)
    header = struct.pack(">I", size) + b"lcms\x02\x10\0\0prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + white + lut


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
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 32896, (128, 128, 128)),  # 128 * 257
        ("I;16", 128, (0, 0, 0)),
        ("I;16", 129, (1, 1, 1)),  # 129 / 257 rounds up
        ("I;16B", 32896, (128, 128, 128)),
    ],
)
def test_every_mode_becomes_rgb_over_white(mode, colour, expected):
    assert converted(Image.new(mode, (4, 4), colour), None) == expected


@pytest.mark.parametrize("mode", ["F", "I", "LAB", "HSV"])
def test_modes_that_are_no_photos_are_refused(mode):
    with pytest.raises(BadPhoto, match=f"unsupported_format: colour mode {mode}; convert it to 8-bit RGB"):
        to_resizable(Image.new(mode, (4, 4)))


def test_a_16_bit_grey_that_stands_for_transparent_becomes_alpha():
    image = Image.fromarray(np.array([[1000, 1001]], dtype=np.uint16))
    image.info["transparency"] = 1000
    assert list(to_resizable(image).getdata()) == [(4, 0), (4, 255)]


def test_a_16_bit_key_colour_is_compared_by_its_high_bytes():
    image = Image.new("RGB", (4, 4), (10, 20, 30))
    image.info["transparency"] = (10 * 257, 20 * 257, 30 * 257)
    assert converted(image, None) == (255, 255, 255)


def test_a_profile_is_applied():
    assert converted(Image.new("RGB", (4, 4), (200, 100, 0)), odd.swapped_profile()) == pytest.approx(
        (0, 100, 200), abs=2
    )


def test_the_profile_of_a_press_is_applied_to_its_inks():
    cyan = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    assert converted(cyan, None) == (0, 255, 255)
    assert converted(cyan, cmyk_profile()) == pytest.approx((255, 0, 0), abs=12)
    assert converted(Image.new("CMYK", (4, 4), (0, 0, 0, 0)), cmyk_profile()) == pytest.approx((255, 255, 255), abs=2)


def test_the_profile_of_colour_is_applied_to_grey_as_colour():
    assert converted(Image.new("L", (4, 4), 100), odd.swapped_profile()) == pytest.approx((100, 100, 100), abs=2)


@pytest.mark.parametrize("profile", [b"", b"nonsense", SRGB[:200], SRGB, None])
def test_profiles_that_are_broken_or_say_srgb_change_nothing(profile):
    assert converted(Image.new("RGB", (4, 4), (200, 100, 0)), profile) == (200, 100, 0)


def test_a_profile_of_another_colour_space_is_ignored():
    assert converted(Image.new("RGB", (4, 4), (200, 100, 0)), cmyk_profile()) == (200, 100, 0)
    assert converted(Image.new("CMYK", (4, 4), (255, 0, 0, 0)), SRGB) == (0, 255, 255)
