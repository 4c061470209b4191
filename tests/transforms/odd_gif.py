"""GIFs that Pillow does not write: frames anywhere, palettes of their own; and how they are shown."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.transforms.shown import STRIPES, WHITE, Shown, grey, striped

Colours = Sequence[tuple[int, int, int]]


@dataclass(frozen=True)
class Frame:
    """One picture: indices `[height, width]` at `left`, `top` of the canvas."""

    indices: npt.NDArray[np.integer]
    left: int = 0
    top: int = 0
    palette: Colours | None = None
    transparent: int | None = None
    disposal: int = 0
    interlaced: bool = False


def gif(size: tuple[int, int], frames: Sequence[Frame], palette: Colours | None = None, background: int = 0) -> bytes:
    """A GIF of a canvas (width, height)."""
    flags, table = _table(palette)
    head = b"GIF89a" + struct.pack("<HHBBB", *size, flags | 0x70, background, 0) + table
    return head + b"".join(_frame(frame) for frame in frames) + b";"


def _table(palette: Colours | None) -> tuple[int, bytes]:
    if palette is None:
        return 0, b""
    bits = max(1, (len(palette) - 1).bit_length())
    return 0x80 | bits - 1, b"".join(bytes(colour) for colour in palette).ljust(3 << bits, b"\0")


def _frame(frame: Frame) -> bytes:
    height, width = frame.indices.shape
    control = frame.disposal << 2 | (frame.transparent is not None)
    out = b"!\xf9\x04" + struct.pack("<BHB", control, 10, frame.transparent or 0) + b"\0"
    flags, table = _table(frame.palette)
    out += b"," + struct.pack("<HHHHB", frame.left, frame.top, width, height, flags | 0x40 * frame.interlaced) + table
    rows = frame.indices
    if frame.interlaced:
        rows = np.concatenate([rows[0::8], rows[4::8], rows[2::4], rows[1::2]])
    return out + b"\x08" + _blocks(_codes(rows.ravel().tolist())) + b"\0"


def _codes(indices: Sequence[int]) -> bytes:
    """Pack indices as LZW codes of nine bits; a clear code before the table needs a tenth."""
    bits, filled, out = 0, 0, bytearray()
    codes: list[int] = []
    for at, index in enumerate(indices):
        codes += [256, index] if at % 250 == 0 else [index]
    for code in [*codes, 257]:
        bits |= code << filled
        filled += 9
        while filled >= 8:
            out.append(bits & 0xFF)
            bits >>= 8
            filled -= 8
    return bytes(out) + bytes([bits & 0xFF])


def _blocks(data: bytes) -> bytes:
    return b"".join(bytes([len(part)]) + part for part in (data[n : n + 255] for n in range(0, len(data), 255)))


def shown() -> dict[str, Shown]:
    """Every GIF by name: the canvas is transparent, whatever background it names and wherever its first frame lies."""
    whole, part = striped(0, 1, 2, 3)[:, :, 0], striped(0, 1, 2, 3)[:16, 8:24, 0]
    middle = (WHITE, STRIPES[1], STRIPES[2], WHITE)
    levels = [(n, n, n) for n in range(256)]
    greys = striped(40, 80, 120, 160)[:, :, 0]
    size = (32, 32)
    return {
        "gif": Shown(gif(size, [Frame(whole)], STRIPES), STRIPES),
        "gif_of_1987": Shown(b"GIF87a" + gif(size, [Frame(whole)], STRIPES)[6:], STRIPES),
        "gif_interlaced": Shown(gif(size, [Frame(whole, interlaced=True)], STRIPES), STRIPES),
        "gif_palette_of_the_frame": Shown(gif(size, [Frame(whole, palette=STRIPES[::-1])], STRIPES), STRIPES[::-1]),
        "gif_transparent_index": Shown(
            gif(size, [Frame(whole, transparent=1)], STRIPES), (STRIPES[0], WHITE, *STRIPES[2:])
        ),
        "gif_transparent_index_of_none": Shown(gif(size, [Frame(whole, transparent=9)], STRIPES), STRIPES),
        "gif_part": Shown(gif(size, [Frame(part, 8, 8)], STRIPES), middle),
        "gif_part_on_background": Shown(gif(size, [Frame(part, 8, 8)], STRIPES, background=3), middle),
        "gif_part_with_palette": Shown(gif(size, [Frame(part, 8, 8, palette=STRIPES)], background=3), middle),
        "gif_part_transparent": Shown(
            gif(size, [Frame(part, 8, 8, transparent=1)], STRIPES), (WHITE, WHITE, STRIPES[2], WHITE)
        ),
        "gif_part_greys": Shown(gif(size, [Frame(greys[:16, 8:24], 8, 8)], levels), grey(255, 80, 120, 255)),
        "gif_greys": Shown(gif(size, [Frame(greys)], levels), grey(40, 80, 120, 160)),
        "gif_greys_transparent": Shown(gif(size, [Frame(greys, transparent=80)], levels), grey(40, 255, 120, 160)),
        "gif_larger_than_its_canvas": Shown(gif((16, 16), [Frame(whole)], STRIPES), STRIPES),
    }
