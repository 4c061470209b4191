"""TIFFs that are refused, by their names; what is read is in test_golden."""

import numpy as np
import pytest

from tests.transforms.odd_tiff import BLACK_IS_ZERO, CFA, LAB, RGB, WHITE_IS_ZERO, YCBCR, page, tiff
from tests.transforms.shown import STRIPES, striped
from transforms.image import prepare
from transforms.photo import BadPhoto, PrepSpec

COLOURS = striped(*STRIPES)
GREYS = COLOURS[:, :, :1]
SMALL = page(COLOURS[::2, ::2], RGB, new_subfile=1)


def photo(values, photometric=RGB, depth=8, order="<", **tags):
    return tiff(page(values, photometric, depth, order, **tags), order=order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("arguments", "tags", "name"),
    [
        ((COLOURS / 255, RGB, 32), {"sample_format": [3] * 3}, "TIFF of floating-point or signed samples"),
        ((GREYS / 255, BLACK_IS_ZERO, 16), {"sample_format": [3]}, "TIFF of floating-point or signed samples"),
        ((GREYS - 100, BLACK_IS_ZERO, 16), {"sample_format": [2]}, "TIFF of floating-point or signed samples"),
        ((GREYS - 100, BLACK_IS_ZERO, 8), {"sample_format": [2]}, "TIFF of floating-point or signed samples"),
        ((GREYS * 2**24, BLACK_IS_ZERO, 32), {}, "TIFF of 32 bits a sample"),
        ((COLOURS, LAB), {}, "TIFF in CIE Lab"),
        ((COLOURS, 9), {}, "TIFF in ICC Lab"),
        ((COLOURS, YCBCR), {}, "TIFF in YCbCr without JPEG compression"),
        ((GREYS, CFA), {}, "a camera's raw file"),
        ((COLOURS, RGB), {"dng_version": [1, 4, 0, 0]}, "a camera's raw file"),
        ((np.tile(COLOURS, 2)[:, :, :5], 5), {"extra_samples": [2]}, "TIFF of 5 samples of 8 bits, photometric inter"),
        (
            (np.tile(GREYS, 2), BLACK_IS_ZERO, 16),
            {"extra_samples": [2]},
            "TIFF of 2 samples of 16 bits, photometric in",
        ),
    ],
)
def test_samples_that_are_not_read_right_are_refused_by_their_names(arguments, tags, name, order):
    values, photometric, *depth = arguments
    values = values if values.dtype.kind == "f" else values.astype(np.int64)
    with pytest.raises(BadPhoto) as caught:
        prepare(photo(values, photometric, *depth, order=order, **tags), PrepSpec(64, 64))
    assert str(caught.value).startswith(f"unsupported_format: {name}")


@pytest.mark.parametrize(
    "data",
    [
        tiff(page(COLOURS[::2, ::2], RGB, new_subfile=1, sub_ifds=400)),
        tiff(SMALL, page(GREYS, CFA)),
        b"II*\0\x10\0\0\0CR\x02\0" + photo(COLOURS)[12:],
    ],
    ids=["previews before directories of their own", "a thumbnail before the sensor's mosaic", "CR2"],
)
def test_raw_files_are_not_taken_for_their_previews(data):
    with pytest.raises(BadPhoto) as caught:
        prepare(data, PrepSpec(64, 64))
    assert caught.value.code in ("unsupported_format", "truncated")


def test_pages_that_link_in_a_circle_end():
    data = bytearray(tiff(SMALL, SMALL))
    first = int.from_bytes(data[4:8], "little")
    data[-4:] = first.to_bytes(4, "little")
    assert prepare(bytes(data), PrepSpec(64, 64)).width == 16


def test_a_white_photo_is_white_wherever_its_zero_is():
    for photometric, level in ((BLACK_IS_ZERO, 255), (WHITE_IS_ZERO, 0)):
        prepared = prepare(photo(np.full((32, 32, 1), level), photometric), PrepSpec(64, 64))
        assert prepared == prepare(photo(np.full((32, 32, 3), 255)), PrepSpec(64, 64))
