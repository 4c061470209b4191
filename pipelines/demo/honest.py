"""Odd but honest photos: every unusual file that a supplier may send and that a shop must show as it was meant.

Each kind is a function from an upright RGB picture on white to (bytes, file ending).
"""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps

from pipelines.demo.encode import to_bytes

OddFile = tuple[bytes, str]
_ORIENTATION: Final = 0x0112
_STORED: Final[Mapping[int, Image.Transpose]] = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
)


def _exif(orientation: int, image: Image.Image) -> OddFile:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return to_bytes(image.transpose(_STORED[orientation]), "JPEG", quality=92, exif=exif), "jpg"


def _cmyk(image: Image.Image) -> OddFile:
    return to_bytes(image.convert("CMYK"), "JPEG", quality=94), "jpg"


def _grey_jpeg(image: Image.Image) -> OddFile:
    return to_bytes(image.convert("L"), "JPEG", quality=92), "jpg"


def _progressive(image: Image.Image) -> OddFile:
    return to_bytes(image, "JPEG", quality=92, progressive=True), "jpg"


def _icc(image: Image.Image) -> OddFile:
    wide = ImageCms.ImageCmsProfile(io.BytesIO(wide_gamut_profile()))
    moved = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), wide)
    if moved is None:
        raise RuntimeError("the colour transform to the wide profile gave no image")
    return to_bytes(moved, "JPEG", quality=94, icc_profile=wide_gamut_profile()), "jpg"


def _rgba(image: Image.Image) -> OddFile:
    cut = image.convert("RGBA")
    cut.putalpha(_opaque(image))
    # What is transparent is black underneath: a reader that drops the alpha channel shows it.
    black = Image.new("RGBA", image.size, (0, 0, 0, 0))
    black.paste(cut, mask=_opaque(image))
    return to_bytes(black, "PNG"), "png"


def _palette(image: Image.Image) -> OddFile:
    return to_bytes(image.quantize(255), "PNG"), "png"


def _palette_transparent(image: Image.Image) -> OddFile:
    few = image.quantize(255, dither=Image.Dither.NONE)
    indexes = np.where(np.asarray(_opaque(image)) > 0, np.asarray(few), 255).astype(np.uint8)
    cut = _with_palette(indexes, few.getpalette() or [])
    return to_bytes(cut, "PNG", transparency=255), "png"


def _with_palette(indexes: npt.NDArray[np.uint8], palette: list[int]) -> Image.Image:
    image = Image.frombytes("P", (indexes.shape[1], indexes.shape[0]), indexes.tobytes())
    image.putpalette([*(palette + [0] * 768)[:765], 0, 0, 0])
    return image


def _grey_alpha(image: Image.Image) -> OddFile:
    grey = image.convert("LA")
    grey.putalpha(_opaque(image))
    return to_bytes(grey, "PNG"), "png"


def _grey16(image: Image.Image) -> OddFile:
    return png16(np.asarray(image.convert("L"))[:, :, None]), "png"


def _rgb16(image: Image.Image) -> OddFile:
    return png16(np.asarray(image)), "png"


def _gif(image: Image.Image) -> OddFile:
    first, *rest = [frame.quantize(128) for frame in _frames(image)]
    return to_bytes(first, "GIF", save_all=True, append_images=rest, duration=200, loop=0), "gif"


def _webp(image: Image.Image) -> OddFile:
    return to_bytes(image, "WEBP", quality=90), "webp"


def _webp_alpha(image: Image.Image) -> OddFile:
    cut = image.convert("RGBA")
    cut.putalpha(_opaque(image))
    return to_bytes(cut, "WEBP", lossless=True), "webp"


def _webp_animated(image: Image.Image) -> OddFile:
    first, *rest = _frames(image)
    return to_bytes(first, "WEBP", save_all=True, append_images=rest, duration=200, quality=90), "webp"


def _png_named_jpg(image: Image.Image) -> OddFile:
    return to_bytes(image, "PNG"), "jpg"


def _frames(image: Image.Image) -> list[Image.Image]:
    return [image, ImageOps.invert(image), ImageOps.mirror(image)]


def _opaque(image: Image.Image) -> Image.Image:
    """Return an L mask: 0 where a picture on white is white, 255 elsewhere."""
    whitest = np.asarray(image).min(axis=2)
    return Image.fromarray(np.where(whitest < 250, 255, 0).astype(np.uint8))


def png16(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG of 16 bits a sample from `[height, width, 1 or 3]` uint8, which Pillow cannot write in colour."""
    height, width, bands = pixels.shape
    wide = (pixels.astype(np.uint16) * 257).astype(">u2").reshape(height, -1)
    raw = b"".join(b"\0" + line.tobytes() for line in wide)
    header = struct.pack(">IIBBBBB", width, height, 16, 2 if bands == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        png_chunk(name, body) for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    )


def png_chunk(name: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG file with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@cache
def wide_gamut_profile() -> bytes:
    """Return an ICC v2 display profile with a gamut like Adobe RGB's (D50 primaries, gamma 2.2), dated 2026-01-01.

    Written by hand, for a profile made by a library carries the time of its making.
    """
    primaries = {
        b"rXYZ": (0.60974, 0.31111, 0.01947),
        b"gXYZ": (0.20528, 0.62567, 0.06087),
        b"bXYZ": (0.14919, 0.06322, 0.74457),
        b"wtpt": (0.9642, 1.0, 0.8249),
    }
    tags = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in xyz)) for name, xyz in primaries.items()
    }
    text = b"demo wide gamut\0"
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    tags[b"cprt"] = b"text\0\0\0\0public domain\0"
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.19921875 * 256))
    tags |= {b"rTRC": gamma, b"gTRC": gamma, b"bTRC": gamma}
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += name + struct.pack(">II", at + len(body), len(value))
        body += padded
    size = at + len(body)
    header = struct.pack(
        ">I4sI4s4s4s6H4s", size, b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ", 2026, 1, 1, 0, 0, 0, b"acsp"
    )
    header += bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body


ODD_KINDS: Final[Mapping[str, Callable[[Image.Image], OddFile]]] = MappingProxyType(
    {
        "cmyk_jpeg": _cmyk,
        **{f"exif_orientation_{number}": partial(_exif, number) for number in range(2, 9)},
        "rgba_png": _rgba,
        "palette_png": _palette,
        "palette_png_transparent": _palette_transparent,
        "grey_alpha_png": _grey_alpha,
        "animated_gif": _gif,
        "webp": _webp,
        "webp_transparent": _webp_alpha,
        "animated_webp": _webp_animated,
        "grey16_png": _grey16,
        "rgb16_png": _rgb16,
        "grey_jpeg": _grey_jpeg,
        "progressive_jpeg": _progressive,
        "icc_jpeg": _icc,
        "png_named_jpg": _png_named_jpg,
    }
)
