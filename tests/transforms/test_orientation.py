"""Which way up a photo is shown: as was seen in Chromium 156 and Firefox 153, which agree in all of it."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.transforms import odd_jpeg, odd_png
from tests.transforms import odd_photos as odd
from tests.transforms.odd_jpeg import exif, segment, with_exif, xmp
from transforms.image import prepare
from transforms.orientation import orientation_of, upright
from transforms.photo import PrepSpec
from transforms.pixels import decode_prepared

PLAIN = odd.encode(odd.scene(), "JPEG", quality=95)
PNG = odd.encode(odd.scene(), "PNG")
RAW_PROFILE = b"Raw profile type exif\0\0" + zlib.compress(
    b"\nexif\n%8d\n" % (len(exif()) + 6) + (b"Exif\0\0" + exif()).hex().encode() + b"\n"
)


def turn_of(data: bytes) -> int:
    """The orientation by which the scene was turned: that of the closest of all eight, shown at half its size."""
    found = decode_prepared(prepare(data, PrepSpec(80, 80)).jpeg).astype(int)

    def off(orientation: int) -> float:
        picture = upright(odd.scene(), orientation)
        canvas = Image.new("RGB", (80, 80), "white")
        shown = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC)
        canvas.paste(shown, ((80 - shown.width) // 2, (80 - shown.height) // 2))
        return float(np.abs(found - np.asarray(canvas)).mean())

    closest = min(range(1, 9), key=off)
    assert off(closest) < 4
    return closest


@pytest.mark.parametrize("name", odd_jpeg.TURNED)
def test_what_an_exif_block_says(name):
    block, wanted = odd_jpeg.TURNED[name]
    assert orientation_of(block) == wanted


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (with_exif(PLAIN, exif(6)), 6),
        (with_exif(PLAIN, exif(6), exif(3)), 6),
        (with_exif(PLAIN, exif(6, tag=0x010F), exif(3)), 1),
        (with_exif(PLAIN, odd_jpeg.TURNED["damaged"][0]), 1),
        (PLAIN.replace(b"\xff\xda", segment(0xE1, b"Exif\0\0" + exif(6)) + b"\xff\xda", 1), 6),
        (PLAIN[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(6)) + PLAIN[2:], 1),
        (PLAIN[:2] + segment(0xE1, b"Exif\0\xff" + exif(6)) + PLAIN[2:], 1),
        (odd_png.with_chunks(PNG, (b"eXIf", exif(6))), 6),
        (odd_png.with_chunks(PNG, (b"eXIf", b"Exif\0\0" + exif(6))), 1),
        (PNG[:-12] + odd_png.chunk(b"eXIf", exif(6)) + PNG[-12:], 1),
        (odd_png.with_chunks(PNG, (b"zTXt", RAW_PROFILE)), 1),
        (odd_png.with_chunks(PNG, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(6))), 1),
        (odd.turned(6, "WEBP", lossless=True), 8),  # stored turned, and shown so
        (odd.encode(odd.scene(), "AVIF", quality=95, xmp=xmp(6)), 1),
        (odd.encode(odd.scene(), "TIFF"), 1),
    ],
)
def test_only_what_browsers_agree_on_turns_a_photo(data, wanted):
    assert turn_of(data) == wanted


def test_pillow_writes_what_the_cases_say_they_are():
    """The cases are honest: the WebP holds an EXIF block, the AVIF an XMP packet."""
    assert Image.open(io.BytesIO(odd.turned(6, "WEBP"))).getexif()[0x0112] == 6
    assert b"Orientation" in odd.encode(odd.scene(), "AVIF", xmp=xmp(6))
