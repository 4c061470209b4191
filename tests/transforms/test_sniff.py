"""What a file is, from its bytes."""

import pytest
from PIL import Image

from tests.transforms import odd_photos as odd
from transforms.photo import BadPhoto
from transforms.sniff import sniff, webp_size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_formats_are_known_by_their_content(kind):
    assert sniff(odd.encode(odd.scene(), kind)) == kind


@pytest.mark.parametrize("kind", ["JPEG2000", "ICO", "PPM", "TGA"])
def test_formats_that_are_not_read_are_refused(kind):
    with pytest.raises(BadPhoto) as caught:
        sniff(odd.encode(odd.scene(), kind))
    assert caught.value.code in ("unsupported_format", "not_an_image")


@pytest.mark.parametrize(
    "options", [{"quality": 80}, {"lossless": True}, {"quality": 80, "icc_profile": odd.swapped_profile()}]
)
@pytest.mark.parametrize("size", [(16, 16), (123, 457)])
def test_the_size_of_a_webp_is_in_its_first_chunk(size, options):
    assert webp_size(odd.encode(Image.new("RGB", size, "red"), "WEBP", **options)) == size


def test_a_webp_of_no_known_kind_has_no_size():
    assert webp_size(b"RIFF\x10\0\0\0WEBPJUNK\0\0\0\0") == (0, 0)
