"""Photos that must be rejected, each with the code that is expected of the pipeline. Knows no catalogue.

A kind is either bytes in a file (`BAD_FILES`) or something else where a file should be (`BAD_PLACES`).
"""

import os
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from pipelines.demo.honest import png_chunk

_PNG: Final = b"\x89PNG\r\n\x1a\n"


class BadFile(NamedTuple):
    """How a photo is spoilt: the code to expect, the file's ending, and (good JPEG bytes, generator) -> bad bytes."""

    code: str
    ending: str
    spoil: Callable[[bytes, np.random.Generator], bytes]


class BadPlace(NamedTuple):
    """What stands where a photo should be: the code to expect, and what puts it there."""

    code: str
    put: Callable[[Path], None]


def _cut(jpeg: bytes, rng: np.random.Generator) -> bytes:
    return jpeg[: int(len(jpeg) * rng.uniform(0.4, 0.8))]


def _zero_tail(jpeg: bytes, rng: np.random.Generator) -> bytes:
    kept = _cut(jpeg, rng)
    return kept + bytes(len(jpeg) - len(kept))


def _noise(jpeg: bytes, rng: np.random.Generator) -> bytes:
    return b"\x17" + rng.bytes(len(jpeg))


def _bad_header(jpeg: bytes, rng: np.random.Generator) -> bytes:
    # The markers stand, but every table behind them is noise.
    return (
        jpeg[:20]
        + b"\xff\xdb\x00\x43"
        + rng.bytes(65).replace(b"\xff", b"\xfe")
        + b"\xff\xda\x00\x04\x00\x00"
        + jpeg[-300:-2]
        + b"\xff\xd9"
    )


def _png_file(width: int, height: int, body: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _PNG + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def _bomb(_: bytes, __: np.random.Generator) -> bytes:
    return _png_file(60_000, 60_000, zlib.compress(bytes(200_000), 9))


def _cut_png(_: bytes, rng: np.random.Generator) -> bytes:
    whole = _png_file(96, 120, zlib.compress(b"".join(b"\0" + rng.bytes(96 * 3) for _ in range(120))))
    return whole[: len(whole) // 2]


def _dot(_: bytes, __: np.random.Generator) -> bytes:
    return _png_file(1, 1, zlib.compress(b"\0\x80\x80\x80"))


def _fixed(content: bytes) -> Callable[[bytes, np.random.Generator], bytes]:
    return lambda _jpeg, _rng: content


_HTML: Final = (
    b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"
)
_SVG: Final = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><circle r="40"/></svg>\n'
)

BAD_FILES: Final[Mapping[str, BadFile]] = MappingProxyType(
    {
        "truncated_jpeg": BadFile("truncated", "jpg", _cut),
        "zero_tail_jpeg": BadFile("truncated", "jpg", _zero_tail),
        "zero_bytes": BadFile("empty", "jpg", _fixed(b"")),
        "html_named_jpg": BadFile("not_an_image", "jpg", _fixed(_HTML)),
        "png_bomb": BadFile("too_many_pixels", "png", _bomb),
        "random_bytes": BadFile("not_an_image", "jpg", _noise),
        "text_named_jpg": BadFile("not_an_image", "jpg", _fixed(b"photo will follow on Monday\n")),
        "pdf_named_jpg": BadFile(
            "not_an_image", "jpg", _fixed(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n")
        ),
        "zip_named_jpg": BadFile("not_an_image", "jpg", _fixed(b"PK\x03\x04" + bytes(60))),
        "all_zeros": BadFile("not_an_image", "jpg", _fixed(bytes(4096))),
        "corrupt_jpeg_header": BadFile("corrupt", "jpg", _bad_header),
        "gif_header_only": BadFile("corrupt", "gif", _fixed(b"GIF89a")),
        "truncated_png": BadFile("truncated", "png", _cut_png),
        "svg": BadFile("unsupported_format", "svg", _fixed(_SVG)),
        "photoshop": BadFile("unsupported_format", "psd", _fixed(b"8BPS\x00\x01" + bytes(20))),
        "one_pixel": BadFile("too_small", "png", _dot),
    }
)


def _nothing(_: Path) -> None:
    return


def _folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


def _loop(path: Path) -> None:
    os.symlink(path.name, path)


BAD_PLACES: Final[Mapping[str, BadPlace]] = MappingProxyType(
    {
        "missing_file": BadPlace("missing", _nothing),
        "folder_named_jpg": BadPlace("not_a_file", _folder),
        "symlink_loop": BadPlace("missing", _loop),
    }
)
PHOTO_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {**{kind: bad.code for kind, bad in BAD_FILES.items()}, **{kind: bad.code for kind, bad in BAD_PLACES.items()}}
)
