"""What a file is, from its first bytes and its structure, before any decoder sees it.

It owns the list of formats that are read. It must not decode pixels.
"""

import struct
from typing import Final

from transforms.photo import BadPhoto

# Real files have a handful of scans (libjpeg's default progressive script: 10); thousands are an attack on CPU time.
_MAX_JPEG_SCANS: Final = 256
_PROGRESSIVE: Final = (0xC2, 0xC6, 0xCA, 0xCE)

_READ: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_KNOWN_PICTURES: Final = (
    (b"8BPS", "Photoshop"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"II+\x00", "BigTIFF"),
    (b"MM\x00+", "BigTIFF"),
    (b"qoif", "QOI"),
    (b"DDS ", "DirectDraw"),
    (b"%!PS", "PostScript"),
)
_KNOWN_OTHERS: Final = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"RIFF", "a RIFF file that is no WebP"),
)
_FTYP_READ: Final = (b"avif", b"avis")
_FTYP_PICTURES: Final = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


def sniff(data: bytes) -> str:
    """Return the Pillow format of `data` by its content; file names and declared types are not asked.

    Raises BadPhoto: empty, not_an_image, unsupported_format, truncated, corrupt.
    """
    if not data:
        raise BadPhoto("empty", "0 bytes")
    for magic, name in _READ:
        if data.startswith(magic):
            if name == "JPEG":
                _check_jpeg_is_whole(data)
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        _check_webp_is_whole(data)
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in _FTYP_READ:
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
    if data[4:8] == b"ftyp" and data[8:12] in _FTYP_PICTURES:
        return BadPhoto("unsupported_format", "HEIC; convert it to JPEG, PNG or WebP")
    for magic, name in _KNOWN_PICTURES:
        if data.startswith(magic):
            return BadPhoto("unsupported_format", f"{name}; convert it to JPEG, PNG or WebP")
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return BadPhoto("unsupported_format", "SVG; convert it to JPEG, PNG or WebP")
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


def _check_jpeg_is_whole(data: bytes) -> None:
    """Raise BadPhoto unless an end marker follows the first scan.

    Decoders paint what is missing grey and go on if the rest of the file is zeros, so they cannot be asked. Thumbnails
    inside the header have end markers of their own, hence the walk over the header's segments.
    """
    start, progressive = _first_scan(data)
    end = data.rfind(b"\xff\xd9", start)
    if end < 0:
        raise BadPhoto("truncated", f"no end of image in {len(data)} bytes")
    if progressive and (scans := data.count(b"\xff\xda", start, end)) > _MAX_JPEG_SCANS:
        raise BadPhoto("corrupt", f"{scans} progressive scans, more than {_MAX_JPEG_SCANS}")


def _first_scan(data: bytes) -> tuple[int, bool]:
    """Return where a JPEG's first scan starts (or its header stops making sense), and whether it is progressive."""
    at, size, progressive = 2, len(data), False
    while at + 4 <= size:
        marker = data[at + 1]
        if marker == 0xDA or data[at] != 0xFF:
            return at, progressive
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            at += 2
        else:
            progressive = progressive or marker in _PROGRESSIVE
            at += 2 + (data[at + 2] << 8 | data[at + 3])
    raise BadPhoto("truncated", f"the header does not end within {size} bytes")
