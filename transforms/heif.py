"""What the boxes of an AVIF say beside its pixels, and what other files of its family (HEIC, video) are.

It must not decode pixels. Source: ISO/IEC 23008-12 (HEIF) and 14496-12; brands are read in any order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_AVIF: Final = (b"avif", b"avis")
_PICTURES: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "HEIC"),
    **dict.fromkeys((b"avci", b"avcs"), "HEIF of AVC"),
    **dict.fromkeys((b"j2ki", b"j2is"), "HEIF of JPEG 2000"),
    **dict.fromkeys((b"vvic", b"vvis"), "HEIF of VVC"),
    b"crx ": "Canon CR3, a camera's raw file",
    **dict.fromkeys((b"mif1", b"mif2", b"mif3", b"msf1", b"miaf"), "HEIF of an unknown coding"),
}
_VIDEO: Final = (b"isom", b"iso", b"mp4", b"M4V", b"M4A", b"qt  ", b"3g", b"avc1", b"dash", b"mmp4", b"f4v")
_MAX_BRANDS: Final = 256
_METADATA: Final = (b"Exif", b"mime")


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a file: its type, and where its body starts and ends."""

    kind: bytes
    start: int
    end: int


def brands_of(data: bytes) -> tuple[bytes, ...]:
    """Return the brands of a file of the ISO family, the major one first; none of another file."""
    if data[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(data[:4]), len(data), _MAX_BRANDS * 4)
    return (data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4)))


def is_avif(brands: tuple[bytes, ...]) -> bool:
    """Tell whether one of the brands, in whatever place, is AVIF's."""
    return any(brand in _AVIF for brand in brands)


def picture_named(brands: tuple[bytes, ...]) -> str | None:
    """Return what pictures that are not read are called by their brands, most telling first; None for no picture."""
    return next((name for brand, name in _PICTURES.items() if brand in brands), None)


def is_video(brands: tuple[bytes, ...]) -> bool:
    """Tell whether the first brand is one of a video or a sound."""
    return bool(brands) and brands[0].startswith(_VIDEO)


def colour_codes(data: bytes) -> tuple[int, int] | None:
    """Return primaries and transfer (H.273) of an AVIF's main picture; None where its boxes tell none."""
    meta = _meta(data)
    boxes = list(_boxes(data, _inside(data, _inside(data, meta, b"iprp"), b"ipco")))
    for index in _properties_of_main_item(data, meta):
        if 0 < index <= len(boxes) and boxes[index - 1].kind == b"colr":
            body = data[boxes[index - 1].start : boxes[index - 1].end]
            if body.startswith(b"nclx"):
                return _number(body, 4, 2), _number(body, 6, 2)
    return None


def without_metadata(data: bytes) -> bytes:
    """Return the same AVIF with EXIF and XMP disowned: a damaged block makes the decoder refuse the picture."""
    patched = bytearray(data)
    entries = _inside(data, _meta(data), b"iinf")
    if entries is not None:
        counted = 2 if data[entries.start] == 0 else 4  # the bytes of the number of entries, behind the version
        for box in _boxes(data, Box(b"", entries.start + 4 + counted, entries.end)):
            kind = box.start + 4 + (4 if data[box.start : box.start + 1] < b"\x03" else 6)
            if box.kind == b"infe" and data[kind : kind + 4] in _METADATA:
                patched[kind : kind + 4] = b"skip"
    return bytes(patched)


def _properties_of_main_item(data: bytes, meta: Box | None) -> Iterator[int]:
    """Yield which properties, counted from 1, belong to the primary item."""
    primary, links = _inside(data, meta, b"pitm"), _inside(data, _inside(data, meta, b"iprp"), b"ipma")
    if primary is None or links is None:
        return
    main = _number(data, primary.start + 4, 4 if data[primary.start] else 2)
    id_bytes, wide = 4 if data[links.start] else 2, data[links.start + 3] & 1
    at = links.start + 8
    while at < links.end:
        item, count = _number(data, at, id_bytes), _number(data, at + id_bytes, 1)
        at += id_bytes + 1
        if item == main:
            width = 1 + wide
            yield from (_number(data, at + n * width, width) & (0x7FFF if wide else 0x7F) for n in range(count))
        at += count * (1 + wide)


def _meta(data: bytes) -> Box | None:
    """Return the box of everything about pictures, without its version."""
    found = _inside(data, Box(b"", 0, len(data)), b"meta")
    return found and Box(found.kind, found.start + 4, found.end)


def _inside(data: bytes, box: Box | None, kind: bytes) -> Box | None:
    """Return the first box of a kind inside another."""
    return next((each for each in _boxes(data, box) if each.kind == kind), None)


def _boxes(data: bytes, box: Box | None) -> Iterator[Box]:
    """Yield the boxes inside another, as far as they make sense."""
    at, end = (box.start, box.end) if box else (0, 0)
    while at + 8 <= end:
        size, head = _number(data, at, 4), 8
        if size == 1:
            size, head = _number(data, at + 8, 8), 16
        size = size or end - at
        if size < head or at + size > end:
            return
        yield Box(data[at + 4 : at + 8], at + head, at + size)
        at += size


def _number(data: bytes, at: int, width: int) -> int:
    return int.from_bytes(data[at : at + width])
