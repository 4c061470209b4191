"""PNGs that Pillow does not write: any depth and colour type, any chunk in any place; and how they are shown."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.transforms.shown import STRIPES, WHITE, Shown, grey, over_white, striped

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SIGNATURE = b"\x89PNG\r\n\x1a\n"

Chunk = tuple[bytes, bytes]


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def rows(values: npt.NDArray[np.integer], depth: int) -> bytes:
    """Samples, integers `[height, width, channels]`, packed to rows without a filter."""
    if depth == 16:
        packed = values.astype(">u2").reshape(len(values), -1).view(np.uint8)
    elif depth == 8:
        packed = values.astype(np.uint8).reshape(len(values), -1)
    else:
        bits = values.reshape(len(values), -1, 1) >> np.arange(depth - 1, -1, -1) & 1
        packed = np.packbits(bits.reshape(len(values), -1).astype(np.uint8), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)


def png(
    values: npt.NDArray[np.integer],
    colour_type: int,
    depth: int = 8,
    before: Sequence[Chunk] = (),
    after: Sequence[Chunk] = (),
) -> bytes:
    """A PNG of samples `[height, width, channels]`, with chunks before and after its image data."""
    height, width, _ = values.shape
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    data = zlib.compress(rows(values, depth), 9)
    chunks = [(b"IHDR", header), *before, (b"IDAT", data), *after, (b"IEND", b"")]
    return SIGNATURE + b"".join(chunk(*each) for each in chunks)


def with_chunks(data: bytes, *chunks: Chunk) -> bytes:
    """A PNG with chunks put right behind its header."""
    return data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:]


def iccp(profile: bytes, name: bytes = b"any") -> Chunk:
    return b"iCCP", name + b"\0\0" + zlib.compress(profile)


def gama(gamma: float) -> Chunk:
    """The exponent that the file was encoded by: 1 is linear, .45455 nearly what sRGB is."""
    return b"gAMA", struct.pack(">I", round(gamma * 100000))


def chrm(*xy: float) -> Chunk:
    """White, red, green and blue, an x and a y each."""
    return b"cHRM", struct.pack(">8I", *(round(value * 100000) for value in xy))


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> Chunk:
    return b"cICP", bytes([primaries, transfer, matrix, full_range])


def srgb() -> Chunk:
    return b"sRGB", b"\0"


def key(*samples: int) -> Chunk:
    return b"tRNS", struct.pack(f">{len(samples)}H", *samples)


def frame(sequence: int, width: int, height: int, left: int = 0, top: int = 0, blend: int = 0) -> Chunk:
    """The head of a frame of an animation."""
    return b"fcTL", struct.pack(">5I2H2B", sequence, width, height, left, top, 100, 1, 0, blend)


def pixels(sequence: int, values: npt.NDArray[np.integer], depth: int = 8) -> Chunk:
    """The pixels of a frame of an animation that is not the picture itself."""
    return b"fdAT", struct.pack(">I", sequence) + zlib.compress(rows(values, depth))


def animated(frames: int) -> Chunk:
    return b"acTL", struct.pack(">II", frames, 0)


def ramp() -> bytes:
    """Grey of 16 bits from 0 on the left to 65535 on the right, 120 x 160 pixels."""
    row = np.round(np.linspace(0, 65535, 120)).astype(int)
    return png(np.tile(row[None, :, None], (160, 1, 1)), GREY, 16)


def _grey_keys() -> dict[str, Shown]:
    """Every depth of grey, with every level that occurs as the transparent one, and with bits above the depth.

    Those do not count, says the specification, and Firefox does so; Chromium below 8 bits finds no such level.
    """
    table = {}
    for depth in (1, 2, 4, 8, 16):
        top = 2**depth - 1
        levels = (0, top // 3, top * 2 // 3, top) if depth > 1 else (0, 1, 0, 1)
        plain = [round(level * 255 / top) for level in levels]
        table[f"png_grey{depth}"] = Shown(png(striped(*levels), GREY, depth), grey(*plain))
        for key_level in sorted(set(levels)):
            for name, above in (("", 0), ("_and_more", 2**depth & 0xFFFF)):
                keyed = [255 if level == key_level else value for level, value in zip(levels, plain, strict=True)]
                data = png(striped(*levels), GREY, depth, [key(key_level | above)])
                table[f"png_grey{depth}_key{key_level}{name}"] = Shown(data, grey(*keyed))
    return table


def _rgb_keys() -> dict[str, Shown]:
    one, _, three, four = STRIPES
    high = [tuple(value * 257 for value in colour) for colour in STRIPES]
    near = [high[0], tuple(value + 1 for value in high[1]), *high[2:]]
    dark = [(5, 6, 7), (5 * 256, 6 * 256, 7 * 256), *high[2:]]
    return {
        "png_rgb8_key": Shown(png(striped(*STRIPES), RGB, 8, [key(*STRIPES[1])]), (one, WHITE, three, four)),
        "png_rgb8_key_and_more": Shown(
            png(striped(*STRIPES), RGB, 8, [key(*(value + 256 for value in STRIPES[1]))]), (one, WHITE, three, four)
        ),
        "png_rgb16_key": Shown(png(striped(*high), RGB, 16, [key(*high[1])]), (one, WHITE, three, four)),
        "png_rgb16_key_of_low_bytes": Shown(png(striped(*near), RGB, 16, [key(*high[1])]), STRIPES),
        "png_rgb16_dark_key": Shown(png(striped(*dark), RGB, 16, [key(5, 6, 7)]), (WHITE, (5, 6, 7), three, four)),
    }


def _palettes() -> dict[str, Shown]:
    table = {}
    colours = b"".join(map(bytes, STRIPES))
    for depth in (1, 2, 4, 8):
        count = min(4, 2**depth)
        shown = [STRIPES[n % count] for n in range(4)]
        plte = (b"PLTE", colours[: 3 * count])
        values = striped(*(n % count for n in range(4)))
        table[f"png_palette{depth}"] = Shown(png(values, PALETTE, depth, [plte]), tuple(shown))
        faded = [over_white(colour, (1, 0.5)[n % count] if n % count < 2 else 1) for n, colour in enumerate(shown)]
        data = png(values, PALETTE, depth, [plte, (b"tRNS", b"\xff\x80")])
        table[f"png_palette{depth}_half"] = Shown(data, tuple(faded))
        data = png(values, PALETTE, depth, [(b"tRNS", b"\0\0"), plte])
        table[f"png_palette{depth}_alpha_too_early"] = Shown(data, tuple(shown))
    return table


def _alphas() -> dict[str, Shown]:
    table = {}
    for depth in (8, 16):
        top, scale = 2**depth - 1, 1 if depth == 8 else 257
        opacities = (top, top // 2, top // 5, 0)
        coloured = [(*(v * scale for v in c), a) for c, a in zip(STRIPES, opacities, strict=True)]
        greys = [(c[0] * scale, a) for c, a in zip(STRIPES, opacities, strict=True)]
        faded = [over_white(c, a / top) for c, a in zip(STRIPES, opacities, strict=True)]
        table[f"png_rgba{depth}"] = Shown(png(striped(*coloured), RGBA, depth), tuple(faded))
        table[f"png_grey_alpha{depth}"] = Shown(png(striped(*greys), GREY_ALPHA, depth), grey(*(c[0] for c in faded)))
        # Light of 200, 10 and 55 of 255 is shown as 229, 56 and 128; only then it is laid over white.
        linear = png(striped(*greys), GREY_ALPHA, depth, [gama(1)])
        table[f"png_grey_alpha{depth}_linear"] = Shown(linear, grey(229, 156, 230, 255))
        linear = png(striped(*coloured), RGBA, depth, [gama(1)])
        table[f"png_rgba{depth}_linear"] = Shown(linear, ((229, 128, 56), (156, 242, 192), (230, 215, 250), WHITE))
    return table


def _damaged() -> dict[str, Shown]:
    """Notes beside the pixels that are damaged, in the wrong place, or there twice: the photo is the same."""
    plain = png(striped(*STRIPES), RGB)
    packed = zlib.compress(b"x" * 2_000_000)
    notes = {
        "text": [(b"tEXt", b"no end")],
        "large_text": [(b"zTXt", b"note\0\0" + packed)],
        "text_of_another_packing": [(b"zTXt", b"note\0\7" + packed)],
        "iccp": [(b"iCCP", b"abc")],
        "gama": [(b"gAMA", b"")],
        "chrm": [gama(1 / 2.2), (b"cHRM", b"abc")],
        "srgb": [(b"sRGB", b"")],
        "phys": [(b"pHYs", b"")],
        "key": [(b"tRNS", b"\0")],
        "animation": [(b"acTL", b"\0")],
        "exif": [(b"eXIf", b"MM\0*\0\0")],
        "unknown": [(b"abCd", b"xyz")],
    }
    table = {f"png_damaged_{name}": Shown(with_chunks(plain, *chunks), STRIPES) for name, chunks in notes.items()}
    for name, note in (("text", (b"tEXt", b"a\0b")), ("gama", gama(1)), ("key", key(*STRIPES[0]))):
        wrong = with_chunks(plain, note).replace(chunk(*note), chunk(*note)[:-1] + bytes([chunk(*note)[-1] ^ 1]))
        table[f"png_wrong_checksum_{name}"] = Shown(wrong, STRIPES)
    late = png(striped(*STRIPES), RGB, after=[key(*STRIPES[0]), gama(1)])
    table["png_notes_behind_the_pixels"] = Shown(late, STRIPES)
    twice = png(striped(*STRIPES), RGB, before=[key(1, 2, 3), key(*STRIPES[0])])
    table["png_key_twice"] = Shown(twice, STRIPES)
    return table


def _animations() -> dict[str, Shown]:
    """The first frame, which is the file's own picture only where a frame's head precedes it.

    Where no frame makes sense browsers show nothing; other viewers, and we, the file's own picture.
    """
    whole = striped(*((*colour, 255) for colour in STRIPES))
    other = striped(*((*colour, 255) for colour in STRIPES[::-1]))
    indices, plte = striped(0, 1, 2, 3), (b"PLTE", b"".join(map(bytes, STRIPES)))
    middle = (WHITE, STRIPES[2], STRIPES[1], WHITE)
    part = other[:16, 8:24]

    def apart(head: Chunk, values: npt.NDArray[np.integer]) -> bytes:
        """The picture is no frame: the first frame has a head and pixels behind it."""
        return png(whole, RGBA, 8, [animated(1)], [head, pixels(1, values)])

    of_a_palette = [frame(0, 16, 16, 8, 8), pixels(1, indices[:16, ::-1][:, 8:24])]
    return {
        "apng": Shown(
            png(whole, RGBA, 8, [animated(2), frame(0, 32, 32)], [frame(1, 32, 32), pixels(2, other)]), STRIPES
        ),
        "apng_apart": Shown(apart(frame(0, 32, 32), other), STRIPES[::-1]),
        "apng_apart_and_smaller": Shown(apart(frame(0, 16, 16, 8, 8), part), middle),
        "apng_apart_and_smaller_over": Shown(apart(frame(0, 16, 16, 8, 8, 1), part), middle),
        "apng_apart_palette": Shown(png(indices, PALETTE, 8, [animated(1), plte], of_a_palette), middle),
        "apng_beyond_the_canvas": Shown(apart(frame(0, 64, 64), other), STRIPES),
    }


def shown() -> dict[str, Shown]:
    """Every PNG by name, but for those of odd_png_colours."""
    return _grey_keys() | _rgb_keys() | _palettes() | _alphas() | _damaged() | _animations()
