"""What a file is, from its first bytes and its structure, before any decoder sees it.

It owns the list of formats that are read. It must not decode pixels.
"""

import struct
from typing import Final

from transforms import heif
from transforms.jpeg import check_jpeg
from transforms.photo import BadPhoto, unsupported

_READ: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
)
_KNOWN_PICTURES: Final = (
    (b"8BPS", "Photoshop"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"qoif", "QOI"),
    (b"DDS ", "DirectDraw"),
    (b"%!PS", "PostScript"),
    (b"\x00\x00\x02\x00", "Targa or cursor"),
    (b"\x00\x00\x0a\x00", "Targa"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"gimp xcf", "GIMP"),
    (b"BPG\xfb", "BPG"),
    (b"FLIF", "FLIF"),
    (b"FUJIFILMCCD-RAW", "Fujifilm RAF, a camera's raw file"),
    (b"IIRO", "Olympus ORF, a camera's raw file"),
    (b"IIRS", "Olympus ORF, a camera's raw file"),
    (b"MMOR", "Olympus ORF, a camera's raw file"),
    (b"IIU\x00", "Panasonic RW2, a camera's raw file"),
    (b"II\x1a\x00\x00\x00HEAPCCDR", "Canon CRW, a camera's raw file"),
    (b"\x00MRM", "Minolta MRW, a camera's raw file"),
    (b"FOVb", "Sigma X3F, a camera's raw file"),
    *((b"P%d" % number, "Netpbm") for number in range(1, 8)),
)
_KNOWN_OTHERS: Final = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"RIFF", "a RIFF file that is no WebP"),
)


def sniff(data: bytes) -> str:
    """Return the Pillow format of `data` by its content; file names and declared types are not asked.

    Raises BadPhoto: empty, not_an_image, unsupported_format, truncated, corrupt.
    """
    if not data:
        raise BadPhoto("empty", "0 bytes")
    for magic, name in _READ:
        if data.startswith(magic):
            if name == "JPEG":
                check_jpeg(data)
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        _check_webp_is_whole(data)
        return "WEBP"
    if heif.is_avif(heif.brands_of(data)):
        return "AVIF"
    raise _refusal(data)


def webp_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of a WebP file from its first chunk; (0, 0) if it is of no known kind.

    The decoder allocates two whole canvases when it is opened, so the size must be known before.
    """
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _refusal(data: bytes) -> BadPhoto:
    """Return the error that says what `data` is instead of a photo that can be read."""
    brands = heif.brands_of(data)
    if name := heif.picture_named(brands):
        return unsupported(name)
    if heif.is_video(brands):
        return BadPhoto("not_an_image", "a video or a sound")
    for magic, name in _KNOWN_PICTURES:
        if data.startswith(magic):
            return unsupported(name)
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return unsupported("SVG")
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return BadPhoto("not_an_image", "an HTML page; the link probably answers with an error page")
    for magic, name in _KNOWN_OTHERS:
        if data.startswith(magic):
            return BadPhoto("not_an_image", name)
    if not head.strip(b"\0"):
        return BadPhoto("not_an_image", f"{len(data)} bytes that start with zeros; the download probably failed")
    return BadPhoto("not_an_image", f"no known picture starts with {data[:8]!r}")


def _check_webp_is_whole(data: bytes) -> None:
    announced = 8 + int.from_bytes(data[4:8], "little")
    if announced > len(data):
        raise BadPhoto("truncated", f"{len(data)} of {announced} bytes")
