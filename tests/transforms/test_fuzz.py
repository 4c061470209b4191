"""Whatever is done to a photo, it is prepared or refused: no other exception may leave `prepare`."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transforms.test_golden import ORIGINALS as KNOWN
from transforms.image import prepare
from transforms.photo import BadPhoto, Limits, PrepSpec
from transforms.pixels import decode_prepared

SPEC = PrepSpec(32, 32)
LIMITS = Limits(max_pixels=2**20)  # a changed header may announce anything, and this is to be quick
ORIGINALS = [
    *("jpeg_exif_6", "jpeg_progressive_420", "jpeg_cmyk", "jpeg_profile", "tiff_exif_5", "tiff_cmyk", "tiff_big"),
    *("png_palette_transparent", "png_rgba16_linear", "png_grey16_key0", "png_rgb16_key", "png_cicp_p3_over_all"),
    *("png_animated", "apng_apart_and_smaller", "gif_animated", "gif_part", "webp_animated", "webp_lossy", "bmp"),
    *("avif_codes_p3", "avif_exif_6", "tiff_thumbnail_first", "tiff_palette4_of_8_bits_big"),
]


def prepared_or_refused(data: bytes) -> None:
    try:
        result = prepare(data, SPEC, LIMITS)
    except BadPhoto as refusal:
        assert refusal.detail
    else:
        assert decode_prepared(result.jpeg).shape == (32, 32, 3)
        assert len(result.phash) == 8


@pytest.fixture(scope="module", params=ORIGINALS)
def original(request) -> bytes:
    return KNOWN[request.param]()


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_bytes(original, data):
    # Half of the changes hit the header, where they do most.
    places = st.one_of(st.integers(0, min(400, len(original)) - 1), st.integers(0, len(original) - 1))
    changed = bytearray(original)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        changed[place] = value
    prepared_or_refused(bytes(changed))


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_missing_doubled_and_foreign_parts(original, data):
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, len(original)))
    middle = data.draw(st.one_of(st.just(b""), st.just(original[start:end] * 2), st.binary(max_size=64)))
    prepared_or_refused(original[:start] + middle + original[end:])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    magic=st.sampled_from(
        [
            *(b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0+\0\x08\0\0", b"8BPS"),
            *(b"RIFF\x20\0\0\0WEBP", b"RIFF\x20\0\0\0WEBPVP8X", b"\0\0\0\x10ftypavif\0\0\0\0"),
        ]
    ),
    rest=st.binary(max_size=300),
)
def test_noise(magic, rest):
    prepared_or_refused(magic + rest)
