"""From original bytes to a prepared photo: sizes, identity of bytes, metadata, and every way to be refused."""

import io
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, JpegImagePlugin

from tests.transforms import odd_photos as odd
from tests.transforms.odd_profiles import swapped_profile
from transforms import image as module
from transforms.image import prepare, prepare_query
from transforms.photo import BadPhoto, Box, Limits, PrepSpec
from transforms.pixels import decode_prepared

SPEC = PrepSpec(64, 48)


def refusal(data: bytes, limits: Limits | None = None) -> BadPhoto:
    with pytest.raises(BadPhoto) as caught:
        prepare(data, SPEC, limits or Limits())
    return caught.value


def jpeg(width: int, height: int, **options: object) -> bytes:
    return odd.encode(odd.scene().resize((width, height)), "JPEG", **options)


@pytest.mark.parametrize(("width", "height"), [(800, 1067), (1067, 800), (48, 64), (20, 30), (16, 2000), (2000, 16)])
def test_prepared_photos_have_the_size_of_the_canvas_whatever_the_original_has(width, height):
    result = prepare(jpeg(width, height), SPEC)
    assert decode_prepared(result.jpeg).shape == (64, 48, 3)
    assert (result.width, result.height) == (width, height)


def test_width_and_height_are_those_of_the_photo_as_shown():
    for original in (odd.turned(1), odd.turned(6), odd.turned(8, "TIFF")):
        photo = prepare(original, SPEC)
        assert (photo.width, photo.height) == (120, 160)


def test_prepared_photos_are_jpegs_without_chroma_subsampling():
    image = Image.open(io.BytesIO(prepare(jpeg(300, 300, subsampling=2), SPEC).jpeg))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4


def test_equal_bytes_in_give_equal_bytes_out_in_any_thread():
    originals = [jpeg(200 + n, 300) for n in range(8)] + [make() for make in odd.GOLDEN.values()]
    alone = [prepare(data, SPEC) for data in originals]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: prepare(data, SPEC), originals * 3))
    assert together == alone * 3


def test_large_jpegs_are_decoded_at_a_fraction_of_their_size_but_never_below_the_target(monkeypatch):
    decoded = []

    def spy(image, *rest):
        decoded.append(image.size)
        return original(image, *rest)

    original = module.to_resizable
    monkeypatch.setattr(module, "to_resizable", spy)
    # 800 x 1067 fits at 48 x 64, that is 1/16.7: the smallest scale is 1/8. Stored on its side, the same.
    prepare(jpeg(800, 1067), SPEC)
    prepare(odd.turned(6), SPEC)  # 120 x 160 shown, 160 x 120 stored, 64 x 48 wanted of it: 1/2
    assert decoded == [(100, 134), (80, 60)]


def test_nothing_of_the_originals_metadata_is_kept():
    exif = Image.Exif()
    exif[0x010F] = "Secret camera"
    options = {
        "exif": exif,
        "comment": b"secret comment",
        "xmp": b"<x>secret</x>",
        "icc_profile": swapped_profile(),
    }
    # At the canvas's own size the decoded image itself is encoded again, with all it carries.
    for data in (jpeg(48, 64, **options), jpeg(96, 64, **options)):
        assert b"ecret" in data
        result = prepare(data, SPEC).jpeg
        assert b"ecret" not in result
        assert sorted(Image.open(io.BytesIO(result)).info) == ["jfif", "jfif_density", "jfif_unit", "jfif_version"]


def test_the_hash_is_that_of_the_picture_without_its_padding():
    whole = prepare(odd.GOLDEN["bmp"](), PrepSpec(160, 120))
    padded = prepare(odd.GOLDEN["bmp"](), PrepSpec(160, 400))
    assert whole.phash == padded.phash
    assert len(whole.phash) == 8


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    "name", ["jpeg_exif_1", "jpeg_progressive_420", "png_rings", "webp_lossy", "gif_animated", "bmp"]
)
def test_a_photo_that_ends_early_is_truncated(name, share):
    data = odd.encode(odd.zone_plate(), "GIF") if name == "gif_animated" else odd.GOLDEN[name]()
    assert refusal(data[: int(len(data) * share)]).code == "truncated"


def test_a_jpeg_whose_second_half_is_zeros_is_truncated():
    data = jpeg(800, 1067)
    half = len(data) // 2
    found = refusal(data[:half] + bytes(len(data) - half))
    assert str(found) == f"truncated: no end of image in {len(data)} bytes"


def test_a_thumbnails_end_is_not_taken_for_the_photos():
    thumbnail = jpeg(40, 40)
    segment = b"\xff\xe2" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = jpeg(300, 300)
    whole = data[:2] + segment + data[2:]
    assert prepare(whole, SPEC).width == 300
    assert refusal(whole[: len(segment) + len(data) // 2] + bytes(1000)).code == "truncated"


def test_what_follows_the_end_of_a_photo_does_not_matter():
    data = jpeg(300, 300)
    assert prepare(data + b"\xff\xd8\xff\xda trailing junk", SPEC) == prepare(data, SPEC)


def test_pixels_are_counted_before_they_are_decoded():
    bomb = odd.encode(Image.new("1", (9000, 9000)), "PNG")
    assert len(bomb) < 20_000
    assert str(refusal(bomb)) == "too_many_pixels: 9000 x 9000 pixels, the limit is 67108864 in all"


def test_a_webp_is_measured_before_its_decoder_allocates_canvases():
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\x00" * 2  # 16384 x 16384
    data = b"RIFF" + struct.pack("<I", 4 + len(extended)) + b"WEBP" + extended
    assert str(refusal(data)).startswith("too_many_pixels: 16384 x 16384")


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_pixels=120 * 160 - 1), "too_many_pixels"),
        (Limits(min_side=121), "too_small"),
        (Limits(max_bytes=500), "too_large_bytes"),
    ],
)
@pytest.mark.parametrize("name", ["jpeg_exif_6", "png_palette", "webp_lossy", "tiff_exif_5"])
def test_limits_are_kept(name, limits, code):
    assert refusal(odd.GOLDEN[name](), limits).code == code


def test_limits_include_their_bounds():
    assert prepare(odd.GOLDEN["bmp"](), SPEC, Limits(max_pixels=120 * 160, min_side=120)).width == 120


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty: 0 bytes"),
        (bytes(100), "not_an_image: 100 bytes that start with zeros; the download probably failed"),
        (b"\n <!DOCTYPE html><title>404</title>", "not_an_image: an HTML page"),
        (b"%PDF-1.7 ...", "not_an_image: a PDF"),
        (b"PK\x03\x04 zip", "not_an_image: a ZIP archive"),
        (b"item_id,title\n", "not_an_image: no known picture starts with b'item_id,'"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not_an_image: a RIFF file that is no WebP"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "unsupported_format: SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "unsupported_format: HEIC"),
        (b"8BPS\0\x01", "unsupported_format: Photoshop"),
        (odd.GOLDEN["png_rings"]().replace(b"IHDR", b"iHDR"), "corrupt: the header is damaged"),
        (odd.GOLDEN["png_rings"]()[:40], "truncated: "),
        (b"\xff\xd8\xff\xe0\0\x02" + b"noise" * 20 + b"\xff\xd9", "corrupt: "),
    ],
)
def test_what_is_no_photo_is_refused_by_name(data, message):
    assert str(refusal(data)).startswith(message)


def test_thousands_of_scans_are_an_attack():
    data = odd.encode(odd.scene(), "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    last = data[scan:-2]
    found = refusal(data[:-2] + last * 300 + data[-2:])
    assert found.code == "corrupt"
    assert "progressive scans, more than 256" in found.detail


def test_running_out_of_memory_is_not_the_photos_fault(monkeypatch):
    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(module, "to_resizable", no_memory)
    with pytest.raises(MemoryError):
        prepare(jpeg(100, 100), SPEC)


@pytest.mark.parametrize("name", odd.GOLDEN)
def test_a_query_is_prepared_as_the_catalogue_is(name):
    data = odd.GOLDEN[name]()
    assert prepare_query(data, SPEC) == prepare(data, SPEC).jpeg


def test_a_part_of_a_query_is_prepared_as_one_of_the_catalogue_is():
    data, box = jpeg(150, 100), Box(5, 5, 90, 70)
    assert prepare_query(data, SPEC, box=box) == prepare(data, SPEC, box=box).jpeg != prepare(data, SPEC).jpeg


@pytest.mark.parametrize("data", [b"", b"<html>", jpeg(150, 100)[:200]])
def test_a_query_that_is_no_photo_is_refused_as_in_the_catalogue(data):
    with pytest.raises(BadPhoto) as refused:
        prepare_query(data, SPEC)
    assert (refused.value.code, refused.value.detail) == (refusal(data).code, refusal(data).detail)
