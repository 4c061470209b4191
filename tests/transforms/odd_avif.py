"""AVIFs by their boxes: brands in any order, colour codes, turns; and how they are shown.

What Pillow cannot write (10 and 12 bits, premultiplied alpha) lies in photos/: the stripes, of the same expected
colours, encoded once by libavif's avifenc (-d, -y, -p, quality 0 to 4).
"""

import struct
from pathlib import Path

from tests.transforms.odd_jpeg import exif, stripes, xmp
from tests.transforms.odd_photos import encode
from tests.transforms.odd_profiles import gamma_profile
from tests.transforms.odd_webp import see_through
from tests.transforms.shown import STRIPES, WHITE, Shown, grey, over_white

FOLDER = Path(__file__).parent / "photos"
_LINEAR = ((229, 128, 56), (56, 229, 128), (128, 56, 229), (253, 248, 79))
_P3 = ((218, 33, 0), (0, 204, 0), (61, 5, 208), (252, 240, 0))
_WIDE = ((248, 0, 0), (0, 211, 0), (38, 0, 210), (255, 240, 0))


def avif(mode: str = "RGB", **options: object) -> bytes:
    return encode(stripes(mode), "AVIF", quality=100, subsampling="4:4:4", **options)


def with_brands(data: bytes, *brands: bytes) -> bytes:
    """An AVIF of Pillow's whose brands, the major one first, are others."""
    box = struct.pack(">I", 12 + 4 * len(brands)) + b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands[1:])
    old = int.from_bytes(data[:4])
    return _moved(box + data[old:], len(box) - old)


def _moved(data: bytes, by: int) -> bytes:
    """The same file with its items' places, all in one iloc box of version 0, moved by so many bytes."""
    start = data.index(b"iloc") + 4
    out, at = bytearray(data), start + 8
    for _ in range(int.from_bytes(data[start + 6 : start + 8])):
        place = at + 6
        out[place : place + 4] = (int.from_bytes(data[place : place + 4]) + by).to_bytes(4)
        at += 14
    return bytes(out)


def with_codes(data: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF of Pillow's with other codes of primaries and transfer; the matrix stays."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def shown() -> dict[str, Shown]:
    """Every AVIF by name; the curves of video count as sRGB's, and no browser turns one by EXIF or XMP."""
    plain, note = avif(), exif(6, tag=0x010F)
    faded = (STRIPES[0], over_white(STRIPES[1], 0.5), WHITE, STRIPES[3])
    # .299 R + .587 G + .114 B of the stripes.
    greys = grey(93, 127, 45, 218)
    brands = {
        "first": (b"avif", b"mif1", b"miaf"),
        "last": (b"mif1", b"miaf", b"MA1B", b"avif"),
        "behind_many": (b"mif1", *[b"abcd"] * 20, b"avif"),
        "behind_miaf": (b"miaf", b"avif"),
        "behind_heic": (b"heic", b"avif", b"mif1"),
        "behind_video": (b"isom", b"avif"),
        "alone": (b"avif",),
    }
    codes = {
        "p3": ((12, 13), _P3),
        "p3_video": ((12, 1), _P3),
        "p3_unspecified": ((12, 2), _P3),
        "bt2020": ((9, 14), _WIDE),
        "linear": ((1, 8), _LINEAR),
        "unspecified": ((2, 2), STRIPES),
        "video": ((1, 1), STRIPES),
        "gamma_2_8": ((1, 5), ((189, 31, 0), (0, 189, 31), (31, 0, 189), (249, 237, 4))),
    }
    files = {path.stem: path.read_bytes() for path in FOLDER.glob("*.avif")}
    wanted = {
        name: greys if "_400" in name else faded if "alpha" in name or "pre" in name else STRIPES for name in files
    }
    return {
        **{f"avif_brand_{name}": Shown(with_brands(plain, *each), STRIPES) for name, each in brands.items()},
        **{f"avif_codes_{n}": Shown(with_codes(plain, *each), to, within=8) for n, (each, to) in codes.items()},
        **{name: Shown(data, wanted[name], within=6) for name, data in files.items()},
        "avif_grey": Shown(avif("L"), greys),
        "avif_alpha": Shown(encode(see_through(), "AVIF", quality=100, subsampling="4:4:4"), faded, within=6),
        "avif_profile_over_codes": Shown(with_profile_and_codes(), _LINEAR, within=8),
        "avif_exif_damaged": Shown(avif(exif=note).replace(note[:4], b"??\0*"), STRIPES),
        "avif_exif_of_another_turn": Shown(avif(exif=note).replace(note, exif(6)), STRIPES),
        "avif_xmp": Shown(avif(xmp=xmp(6)), STRIPES),
    }


def with_profile_and_codes() -> bytes:
    """A linear profile beside the codes of P3."""
    return with_codes(avif(icc_profile=gamma_profile(1.0)), 12, 13)
