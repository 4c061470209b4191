"""TIFFs that Pillow does not write: any samples, tags and order of pages; and how they are shown."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tests.transforms.odd_jpeg import stripes, xmp
from tests.transforms.odd_photos import encode
from tests.transforms.odd_profiles import gamma_profile, grey_profile
from tests.transforms.shown import STRIPES, Shown, grey, over_white, striped

# Tags and the kinds of their values: H is 16 bits, I 32 bits, B and s bytes.
NEW_SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
STRIPS, ORIENTATION, SAMPLES, ROWS, STRIP_BYTES, PLANAR, XMP = 273, 274, 277, 278, 279, 284, 700
COLOUR_MAP, SUB_IFDS, EXTRA_SAMPLES, SAMPLE_FORMAT, ICC, DNG_VERSION = 320, 330, 338, 339, 34675, 50706
_KINDS = {
    **dict.fromkeys((NEW_SUBFILE, WIDTH, HEIGHT, STRIPS, ROWS, STRIP_BYTES, SUB_IFDS), "I"),
    **dict.fromkeys((ICC, XMP), "s"),
    DNG_VERSION: "B",
}
_TYPES = {"B": 1, "H": 3, "I": 4, "s": 7}
_SIZES = {"B": 1, "H": 2, "I": 4, "s": 1}

Value = int | Sequence[int] | bytes
Page = tuple[bytes, Mapping[int, Value]]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB, CFA = 0, 1, 2, 3, 5, 6, 8, 32803


def page(values: npt.NDArray[np.generic], photometric: int, depth: int = 8, order: str = "<", **tags: Value) -> Page:
    """A page of samples `[height, width, channels]`; tags by their names in lower case."""
    height, width, channels = values.shape
    if values.dtype.kind == "f":
        data = values.astype(f"{order}f{depth // 8}").tobytes()
    elif depth % 8 == 0:
        data = values.astype(f"{order}{values.dtype.kind}{depth // 8}").tobytes()
    else:
        bits = values.astype(int).reshape(height, -1, 1) >> np.arange(depth - 1, -1, -1) & 1
        data = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1).tobytes()
    named = {globals()[name.upper()]: value for name, value in tags.items()}
    basic: dict[int, Value] = {WIDTH: width, HEIGHT: height, BITS: [depth] * channels, COMPRESSION: 1}
    return data, basic | {PHOTOMETRIC: photometric, SAMPLES: channels, ROWS: height} | named


def tiff(*pages: Page, order: str = "<") -> bytes:
    """A classic TIFF of pages, in their order."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 0))
    link = 4
    for data, tags in pages:
        start = len(out)
        out += data + bytes(len(data) % 2)
        at = _directory(out, {**tags, STRIPS: start, STRIP_BYTES: len(data)}, order)
        struct.pack_into(f"{order}I", out, link, at)
        link = len(out) - 4
    return bytes(out)


def _directory(out: bytearray, tags: Mapping[int, Value], order: str) -> int:
    entries = b""
    for tag, value in sorted(tags.items()):
        kind = _KINDS.get(tag, "H")
        values = [value] if isinstance(value, int) else list(value)
        packed = struct.pack(f"{order}{len(values)}{'B' if kind == 's' else kind}", *values)
        if len(packed) > 4:
            place = len(out)
            out += packed + bytes(len(packed) % 2)
            packed = struct.pack(f"{order}I", place)
        entries += struct.pack(f"{order}HHI", tag, _TYPES[kind], len(values)) + packed.ljust(4, b"\0")
    at = len(out)
    out += struct.pack(f"{order}H", len(entries) // 12) + entries + bytes(4)
    return at


_LINEAR = ((229, 128, 56), (56, 229, 128), (128, 56, 229), (253, 248, 79))


def _greys(order: str) -> dict[str, Shown]:
    """Every depth of grey, black or white at 0; what Pillow reads of 16 bits with white at 0 is little-endian alone."""
    table = {}
    for depth in (1, 2, 4, 8, 12, 16):
        levels = [n * (2**depth - 1) // 3 for n in range(4)] if depth > 1 else [0, 1, 0, 1]
        plain = [round(level * 255 / (2**depth - 1)) for level in levels]
        for name, photometric, wanted in (
            ("", BLACK_IS_ZERO, plain),
            ("_white_0", WHITE_IS_ZERO, [255 - v for v in plain]),
        ):
            if depth < 12 or (order == "<" and (depth == 16 or not name)) or (depth == 16 and not name):
                data = tiff(page(striped(*levels), photometric, depth, order), order=order)
                table[f"tiff_grey{depth}{name}"] = Shown(data, grey(*wanted))
    return table


def _palettes(order: str) -> dict[str, Shown]:
    """Palettes of 16 bits a colour, and of 8 bits by mistake, which libtiff knows."""
    table = {}
    for depth in (1, 2, 4, 8):
        count = min(4, 2**depth)
        wanted = [STRIPES[n % count] for n in range(4)]
        for name, scale in (("", 257), ("_of_8_bits", 1)):
            colours = np.zeros((3, 2**depth), int)
            colours[:, :count] = np.transpose(STRIPES)[:, :count] * scale
            values = striped(*(n % count for n in range(4)))
            data = tiff(page(values, PALETTE, depth, order, colour_map=colours.ravel().tolist()), order=order)
            table[f"tiff_palette{depth}{name}"] = Shown(data, tuple(wanted))
    return table


def _colours(order: str) -> dict[str, Shown]:
    table = {}
    opacities = (1.0, 0.5, 0.2, 0.0)
    faded = tuple(over_white(c, a) for c, a in zip(STRIPES, opacities, strict=True))
    for depth in (8, 16):
        top, scale = 2**depth - 1, 257 if depth == 16 else 1
        rgb = [tuple(value * scale for value in colour) for colour in STRIPES]
        alpha = [round(a * top) for a in opacities]
        plain = striped(*((*c, a) for c, a in zip(rgb, alpha, strict=True)))
        scaled = striped(*((*(round(v * o) for v in c), a) for c, o, a in zip(rgb, opacities, alpha, strict=True)))
        inks = striped(*((*(top - v for v in c), 0) for c in rgb))
        table |= {
            f"tiff_rgb{depth}": Shown(tiff(page(striped(*rgb), RGB, depth, order), order=order), STRIPES),
            f"tiff_inks{depth}": Shown(tiff(page(inks, CMYK, depth, order), order=order), STRIPES),
        }
        # An extra sample is 0: nothing that is known, 1: alpha whose colours are multiplied by it, 2: alpha.
        for kind, values, wanted in ((0, plain, STRIPES), (1, scaled, faded), (2, plain, faded)):
            data = tiff(page(values, RGB, depth, order, extra_samples=[kind]), order=order)
            table[f"tiff_rgb{depth}_extra{kind}"] = Shown(data, wanted, within=6)
    data = tiff(
        page(
            striped(*((c[0], round(255 * a)) for c, a in zip(STRIPES, opacities, strict=True))),
            1,
            8,
            order,
            extra_samples=[2],
        ),
        order=order,
    )
    return table | {"tiff_grey8_alpha": Shown(data, grey(*(colour[0] for colour in faded)))}


def _pages() -> dict[str, Shown]:
    """The first page at full size: neither a thumbnail, nor a smaller copy, nor a mask."""
    photo, other = page(striped(*STRIPES), RGB), page(striped(*STRIPES[::-1]), RGB)
    small = page(striped(*STRIPES[::-1])[::2, ::2], RGB, new_subfile=1)
    mask = page(striped(1, 0, 1, 0), BLACK_IS_ZERO, 1, new_subfile=4)
    old = page(striped(*STRIPES[::-1])[::2, ::2], RGB, old_subfile=2)
    odd = page(striped(*STRIPES).astype(float), RGB, 32, sample_format=[3, 3, 3], new_subfile=1)
    return {
        "tiff_pages": Shown(tiff(photo, other), STRIPES),
        "tiff_thumbnail_first": Shown(tiff(small, photo), STRIPES),
        "tiff_thumbnail_first_of_old": Shown(tiff(old, photo), STRIPES),
        "tiff_thumbnails_and_mask_first": Shown(tiff(small, mask, small, photo, other), STRIPES),
        "tiff_thumbnail_last": Shown(tiff(photo, small), STRIPES),
        "tiff_thumbnail_alone": Shown(tiff(page(striped(*STRIPES), RGB, new_subfile=1)), STRIPES),
        "tiff_thumbnail_of_floats_first": Shown(tiff(odd, photo), STRIPES),
    }


def _notes() -> dict[str, Shown]:
    greys = striped(200, 10, 55, 250)
    return {
        "tiff_profile": Shown(tiff(page(striped(*STRIPES), RGB, icc=gamma_profile(1.0))), _LINEAR),
        "tiff_grey_profile": Shown(tiff(page(greys, 1, icc=grey_profile(1.0))), grey(229, 56, 128, 253)),
        "tiff_turned": Shown(tiff(page(striped(*STRIPES), RGB, orientation=2)), STRIPES[::-1]),
        "tiff_xmp": Shown(tiff(page(striped(*STRIPES), RGB, xmp=xmp(2))), STRIPES),
        **{
            f"tiff_{kind}": Shown(encode(stripes(), "TIFF", compression=kind), STRIPES, within=8)
            for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma")
        },
        "tiff_big": Shown(encode(stripes(), "TIFF", big_tiff=True), STRIPES),
    }


def shown() -> dict[str, Shown]:
    """Every TIFF by name, in both orders of bytes."""
    table = _pages() | _notes()
    for name, order in (("little", "<"), ("big", ">")):
        both = _greys(order) | _palettes(order) | _colours(order)
        table |= {f"{key}_{name}": value for key, value in both.items()}
    return table
