from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from transforms.histogram import DIM, colour_histogram, lab_of


def png(*colours: tuple[int, int, int]) -> bytes:
    picture = Image.new("RGB", (8 * len(colours), 8))
    for place, colour in enumerate(colours):
        picture.paste(colour, (8 * place, 0, 8 * place + 8, 8))
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    return sink.getvalue()


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [  # CIE values of sRGB's corners, as colour tables print them
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_colours_are_those_of_the_tables(rgb: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(lab_of(np.array([rgb], np.uint8))[0], lab, atol=0.05)


def test_a_histogram_has_length_one_and_tells_colours_apart() -> None:
    red, blue, both = (
        colour_histogram(png(*colours))
        for colours in ([(200, 30, 30)], [(30, 30, 200)], [(200, 30, 30), (30, 30, 200)])
    )
    assert red.shape == (DIM,)
    assert red @ red == pytest.approx(1)
    assert red @ blue == 0
    assert red @ both == pytest.approx(np.sqrt(0.5))
