"""JPEGs that are cut, or of a kind that the decoder does not know."""

import pytest

from tests.transforms import odd_photos as odd
from transforms.jpeg import check_jpeg
from transforms.photo import BadPhoto

PLAIN = odd.encode(odd.scene(), "JPEG")
FRAME = PLAIN.index(b"\xff\xc0")


def with_frame(marker: int, bits: int = 8, channels: int = 3) -> bytes:
    out = bytearray(PLAIN)
    out[FRAME + 1], out[FRAME + 4], out[FRAME + 9] = marker, bits, channels
    return bytes(out)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (with_frame(0xC3), "lossless JPEG"),
        (with_frame(0xC7), "lossless JPEG"),
        (with_frame(0xC5), "hierarchical JPEG"),
        (with_frame(0xF7), "JPEG-LS"),
        (with_frame(0xC1, bits=12), "JPEG of 12 bits a sample"),
        (with_frame(0xC2, bits=12), "JPEG of 12 bits a sample"),
        (with_frame(0xC0, channels=2), "JPEG of 2 channels"),
    ],
)
def test_kinds_that_are_not_read_are_refused_by_their_names(data, name):
    with pytest.raises(BadPhoto, match=f"unsupported_format: {name}; convert it to JPEG, PNG or WebP"):
        check_jpeg(data)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 4}])
def test_whole_ones_are_whole(options):
    check_jpeg(odd.encode(odd.scene(), "JPEG", **options))
