"""What a file is, from its bytes."""

import struct

import pytest
from PIL import Image

from tests.transforms import odd_photos as odd
from tests.transforms.odd_profiles import swapped_profile
from transforms.photo import BadPhoto
from transforms.sniff import sniff, webp_size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_formats_are_known_by_their_content(kind):
    assert sniff(odd.encode(odd.scene(), kind)) == kind


def ftyp(*brands: bytes) -> bytes:
    """The first box of a file of the ISO family; the first brand is the major one."""
    return struct.pack(">I", 12 + 4 * len(brands)) + b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands[1:])


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("brand", [b"avif", b"avis"])
def test_an_avif_is_known_by_a_brand_in_any_place(brand, place):
    brands = [b"mif1", b"miaf", b"heic"]
    brands.insert(place, brand)
    assert sniff(ftyp(*brands)) == "AVIF"


@pytest.mark.parametrize(
    ("data", "reject"),
    [
        (odd.encode(odd.scene(), "JPEG2000"), "unsupported_format: JPEG 2000"),
        (odd.encode(odd.scene(), "ICO"), "unsupported_format: icon"),
        (odd.encode(odd.scene(), "PPM"), "unsupported_format: Netpbm"),
        (odd.encode(odd.scene(), "TGA"), "unsupported_format: Targa"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "unsupported_format: JPEG XL"),
        (b"\xff\x0a\x10", "unsupported_format: JPEG XL"),
        (b"II\xbc\x01", "unsupported_format: JPEG XR"),
        (ftyp(b"heic", b"mif1"), "unsupported_format: HEIC"),
        (ftyp(b"mif1", b"heic"), "unsupported_format: HEIC"),
        (ftyp(b"heix", b"mif1"), "unsupported_format: HEIC"),
        (ftyp(b"msf1", b"hevc"), "unsupported_format: HEIC"),
        (ftyp(b"mif1", b"avci"), "unsupported_format: HEIF of AVC"),
        (ftyp(b"mif1", b"j2ki"), "unsupported_format: HEIF of JPEG 2000"),
        (ftyp(b"mif1"), "unsupported_format: HEIF of an unknown coding"),
        (ftyp(b"crx ", b"isom"), "unsupported_format: Canon CR3, a camera's raw file"),
        (ftyp(b"isom", b"mp42"), "not_an_image: a video or a sound"),
        (ftyp(b"qt  "), "not_an_image: a video or a sound"),
        (b"FUJIFILMCCD-RAW 0201", "unsupported_format: Fujifilm RAF, a camera's raw file"),
        (b"\0\0\0\x10ftypabcd", "not_an_image: no known picture"),
    ],
)
def test_what_is_not_read_is_refused_by_its_name(data, reject):
    with pytest.raises(BadPhoto) as caught:
        sniff(data)
    assert str(caught.value).startswith(reject)


@pytest.mark.parametrize(
    "options", [{"quality": 80}, {"lossless": True}, {"quality": 80, "icc_profile": swapped_profile()}]
)
@pytest.mark.parametrize("size", [(16, 16), (123, 457)])
def test_the_size_of_a_webp_is_in_its_first_chunk(size, options):
    assert webp_size(odd.encode(Image.new("RGB", size, "red"), "WEBP", **options)) == size


def test_a_webp_of_no_known_kind_has_no_size():
    assert webp_size(b"RIFF\x10\0\0\0WEBPJUNK\0\0\0\0") == (0, 0)
