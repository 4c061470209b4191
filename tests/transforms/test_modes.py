"""Colour modes of decoders, in one that can be resampled."""

import numpy as np
import pytest
from PIL import Image

from transforms.modes import scaled_to_8_bit, to_resizable
from transforms.photo import BadPhoto


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("F", "floating-point samples"),
        ("I", "samples of 32 bits or with a sign"),
        ("LAB", "CIE Lab"),
        ("HSV", "colour mode HSV"),
    ],
)
def test_modes_that_are_no_photos_are_refused_by_their_names(mode, name):
    with pytest.raises(BadPhoto, match=f"unsupported_format: {name}; convert it to 8-bit RGB"):
        to_resizable(Image.new(mode, (4, 4)))


def test_16_bits_are_scaled_and_rounded_to_8():
    image = Image.fromarray(np.array([[0, 128, 129, 32896, 65535]], np.uint16))
    assert list(scaled_to_8_bit(image).getdata()) == [0, 0, 1, 128, 255]  # 257 a level


def test_12_bits_fill_the_range():
    image = Image.fromarray(np.array([[0, 8, 9, 2056, 4095]], np.uint16))
    assert list(scaled_to_8_bit(image, 4095).getdata()) == [0, 0, 1, 128, 255]  # 16.06 a level


def test_other_modes_are_not_scaled():
    image = Image.new("L", (4, 4), 7)
    assert scaled_to_8_bit(image) is image
