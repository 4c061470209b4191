"""BMPs that Pillow does not write, and how they are shown."""

import struct

import numpy as np
import numpy.typing as npt

from tests.transforms.shown import SIDE, STRIPES, WHITE, Shown, striped

NONE, RLE8, RLE4, FIELDS = 0, 1, 2, 3


def bmp(
    bits: int,
    data: bytes,
    kind: int = NONE,
    masks: bytes = b"",
    palette: bytes = b"",
    header: int = 40,
    down: bool = False,
) -> bytes:
    """A BMP of 32 x 32 pixels; masks are behind a header of 40 bytes, and inside a longer one."""
    basic = struct.pack("<IiiHHIIiiII", header, SIDE, -SIDE if down else SIDE, 1, bits, kind, len(data), 0, 0, 0, 0)
    head = basic + masks if header == 40 else (basic + masks).ljust(header, b"\0")
    start = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + head + palette + data


def _fields(*masks: int) -> bytes:
    return struct.pack(f"<{len(masks)}I", *masks)


def _blue_first(alpha: npt.NDArray[np.integer] | None = None) -> bytes:
    rgb = striped(*STRIPES)
    layers = [rgb[:, :, 2], rgb[:, :, 1], rgb[:, :, 0], *([] if alpha is None else [alpha])]
    return np.stack(layers, axis=-1).astype(np.uint8).tobytes()


def _packed(red: int, green: int, blue: int) -> bytes:
    """Pixels of 16 bits, so many of them a channel."""
    rgb = striped(*STRIPES)
    value = rgb[:, :, 0] >> 8 - red << green + blue | rgb[:, :, 1] >> 8 - green << blue | rgb[:, :, 2] >> 8 - blue
    return value.astype("<u2").tobytes()


def shown() -> dict[str, Shown]:
    """Every BMP by name."""
    palette = b"".join(bytes((*colour[::-1], 0)) for colour in STRIPES)
    indices = striped(0, 1, 2, 3)[:, :, 0]
    halves = (indices[:, ::2] << 4 | indices[:, 1::2]).astype(np.uint8).tobytes()
    opaque_but_one = striped(255, 0, 255, 255)[:, :, 0]
    rgb, rgba = _fields(0xFF0000, 0xFF00, 0xFF), _fields(0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    runs = {RLE8: bytes([8, 0, 8, 1, 8, 2, 8, 3, 0, 0]), RLE4: bytes([8, 0, 8, 0x11, 8, 0x22, 8, 0x33, 0, 0])}
    see_through = (STRIPES[0], WHITE, *STRIPES[2:])
    return {
        "bmp_24": Shown(bmp(24, _blue_first()), STRIPES),
        "bmp_top_down": Shown(bmp(24, _blue_first(), down=True), STRIPES),
        "bmp_palette_8": Shown(bmp(8, indices.astype(np.uint8).tobytes(), palette=palette.ljust(1024, b"\0")), STRIPES),
        "bmp_palette_4": Shown(bmp(4, halves, palette=palette.ljust(64, b"\0")), STRIPES),
        "bmp_rle8": Shown(bmp(8, runs[RLE8] * 32 + b"\0\1", RLE8, palette=palette.ljust(1024, b"\0")), STRIPES),
        "bmp_rle4": Shown(bmp(4, runs[RLE4] * 32 + b"\0\1", RLE4, palette=palette.ljust(64, b"\0")), STRIPES),
        "bmp_555": Shown(bmp(16, _packed(5, 5, 5)), STRIPES, within=8),
        "bmp_565": Shown(bmp(16, _packed(5, 6, 5), FIELDS, _fields(0xF800, 0x7E0, 0x1F)), STRIPES, within=8),
        "bmp_32_unused": Shown(bmp(32, _blue_first(opaque_but_one)), STRIPES),
        "bmp_32_unused_fields": Shown(bmp(32, _blue_first(opaque_but_one), FIELDS, rgb), STRIPES),
        "bmp_32_alpha": Shown(bmp(32, _blue_first(opaque_but_one), FIELDS, rgba, header=108), see_through),
        "bmp_32_alpha_v5": Shown(bmp(32, _blue_first(opaque_but_one), FIELDS, rgba, header=124), see_through),
    }
