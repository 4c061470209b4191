"""TIFF: which of its pages is the photo, and whether its samples are of a kind that is read right.

Pillow opens the first page, whatever it is, and takes some layouts for others: those are put right here, or refused by
their names. Sources: TIFF 6.0 (Adobe, 1992); TIFF/EP and DNG for the raw files of cameras.
"""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImagePalette, TiffImagePlugin

from transforms.modes import scaled_to_8_bit
from transforms.photo import BadPhoto, Limits, unsupported
from transforms.picture import Picture

_NEW_SUBFILE, _OLD_SUBFILE, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 255, 258, 259, 262
_COLOUR_MAP, _SUB_IFDS, _SAMPLE_FORMAT, _DNG_VERSION = 320, 330, 339, 50706
_READ: Final = (_NEW_SUBFILE, _OLD_SUBFILE, _BITS, _COMPRESSION, _PHOTOMETRIC, _SUB_IFDS, _SAMPLE_FORMAT, _DNG_VERSION)
_KINDS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_WHITE_IS_ZERO, _YCBCR = 0, 6
_JPEG: Final = (6, 7)
_MAX_PAGES: Final = 1000
_COLOUR_NAMES: Final = {8: "CIE Lab", 9: "ICC Lab", 10: "ITU Lab", 32844: "CIE LogL", 32845: "CIE LogLuv"}
_RAW: Final = (32803, 34892)
"""Photometric interpretations: the mosaic of a sensor, and linear values of one."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A directory: where it starts, and the tags that tell what its picture is."""

    offset: int
    tags: Mapping[int, tuple[int, ...]]

    def first(self, tag: int, default: int) -> int:
        """Return a tag's first value."""
        return (self.tags.get(tag) or (default,))[0]

    @property
    def is_photo(self) -> bool:
        """Whether it is neither a smaller copy of another page nor a mask."""
        return not self.first(_NEW_SUBFILE, 0) & 0b101 and self.first(_OLD_SUBFILE, 1) != 2


def open_tiff(data: bytes, limits: Limits) -> Picture:
    """Return the first page at full size, upright. Raises BadPhoto."""
    page = _chosen(data)
    _check_samples(page)
    image = _opened(_starting_at(data, page.offset), page)
    limits.check_size(image.size)
    image.info.pop("xmp", None)  # Pillow turns pictures by it, and nobody else does
    colours = image.tag_v2.get(_COLOUR_MAP, ())
    if image.mode == "P" and max(colours, default=0) < 256:  # written with 8 bits a colour by mistake; libtiff knows
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))
    image.load()
    profile = image.info.get("icc_profile")
    return Picture(_in_8_bit(image, page), profiles=(profile,) if profile else ())


def _opened(data: bytes, page: _Page) -> TiffImagePlugin.TiffImageFile:
    try:
        return TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    except SyntaxError as error:
        if "unknown pixel mode" not in str(error):
            raise
        bits, photometric = page.tags.get(_BITS, (1,)), page.first(_PHOTOMETRIC, 0)
        what = f"TIFF of {len(bits)} samples of {max(bits)} bits, photometric interpretation {photometric}"
        raise unsupported(what, "convert it to 8-bit RGB") from error


def _in_8_bit(image: Image.Image, page: _Page) -> Image.Image:
    grey = scaled_to_8_bit(image, 2 ** page.first(_BITS, 1) - 1)
    if image.mode.startswith("I;16") and page.first(_PHOTOMETRIC, 1) == _WHITE_IS_ZERO:
        return Image.fromarray(255 - np.asarray(grey))
    return grey


def _chosen(data: bytes) -> _Page:
    """Return the page that is the photo. Raises BadPhoto for the raw file of a camera."""
    pages = list(_pages(data))
    if not pages:
        raise BadPhoto("truncated", f"the first page is not within {len(data)} bytes")
    raw = any(_DNG_VERSION in page.tags or page.first(_PHOTOMETRIC, 0) in _RAW for page in pages)
    chosen = next((page for page in pages if page.is_photo), None)
    if raw or data[8:10] == b"CR" or (chosen is None and any(_SUB_IFDS in page.tags for page in pages)):
        raise unsupported("a camera's raw file (DNG, CR2, NEF, ARW, ...)", "export it as JPEG")
    return chosen or pages[0]


def _check_samples(page: _Page) -> None:
    bits, photometric = page.tags.get(_BITS, (1,)), page.first(_PHOTOMETRIC, 0)
    if photometric in _COLOUR_NAMES:
        raise unsupported(f"TIFF in {_COLOUR_NAMES[photometric]}", "convert it to RGB")
    if any(kind not in (1, 4) for kind in page.tags.get(_SAMPLE_FORMAT, (1,))):
        raise unsupported("TIFF of floating-point or signed samples", "convert it to 8-bit RGB")
    if max(bits) > 16:
        raise unsupported(f"TIFF of {max(bits)} bits a sample", "convert it to 8-bit RGB")
    if photometric == _YCBCR and page.first(_COMPRESSION, 1) not in _JPEG:
        raise unsupported("TIFF in YCbCr without JPEG compression", "convert it to RGB")


def _starting_at(data: bytes, offset: int) -> bytes:
    """Return the file with the directory at `offset` as its first one."""
    order, big = _layout(data)
    at, kind = (8, "Q") if big else (4, "I")
    link = struct.pack(f"{order}{kind}", offset)
    return data if data[at : at + len(link)] == link else data[:at] + link + data[at + len(link) :]


def _layout(data: bytes) -> tuple[str, bool]:
    """Return the order of bytes, and whether offsets have 64 bits (BigTIFF)."""
    order = "<" if data[:2] == b"II" else ">"
    return order, b"\x2b" in data[2:4]


def _pages(data: bytes) -> Iterator[_Page]:
    order, big = _layout(data)
    count_kind, link_kind, entry_bytes = ("Q", "Q", 20) if big else ("H", "I", 12)
    seen: set[int] = set()
    try:
        offset = struct.unpack_from(f"{order}{link_kind}", data, 8 if big else 4)[0]
        while offset and offset not in seen and len(seen) < _MAX_PAGES:
            seen.add(offset)
            count = struct.unpack_from(f"{order}{count_kind}", data, offset)[0]
            start = offset + struct.calcsize(count_kind)
            yield _Page(offset, _tags(data, range(start, start + count * entry_bytes, entry_bytes), order, big))
            offset = struct.unpack_from(f"{order}{link_kind}", data, start + count * entry_bytes)[0]
    except struct.error:  # the file ends, or the link to the next page is damaged
        return


def _tags(data: bytes, entries: range, order: str, big: bool) -> dict[int, tuple[int, ...]]:
    """Return the whole numbers of the tags that are read. Raises struct.error where the file ends before them."""
    tags: dict[int, tuple[int, ...]] = {}
    inline, link_kind = (8, "Q") if big else (4, "I")
    for entry in entries:
        tag, kind = struct.unpack_from(f"{order}HH", data, entry)
        if tag not in _READ or kind not in _KINDS:
            continue
        count = min(struct.unpack_from(f"{order}{link_kind}", data, entry + 4)[0], 64)
        values, at = f"{order}{count}{_KINDS[kind]}", entry + 4 + inline
        if struct.calcsize(values) > inline:
            at = struct.unpack_from(f"{order}{link_kind}", data, at)[0]
        tags[tag] = struct.unpack_from(values, data, at)
    return tags
