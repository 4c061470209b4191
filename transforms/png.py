"""PNG: what its chunks say about transparency and colour, and the bare picture that Pillow decodes.

Pillow gets header, palette and pixels alone: there a damaged text refuses the picture, key colours are compared with
samples that were scaled, and cICP is unknown. Of an animation the first frame is taken, as browsers do, which need not
be the picture that the file holds for other viewers. Source: Portable Network Graphics, third edition (W3C, 2025).
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from transforms.modes import scaled_to_8_bit
from transforms.orientation import orientation_of
from transforms.photo import BadPhoto, Limits, unsupported
from transforms.picture import Picture
from transforms.spaces import UNSPECIFIED, Chromaticities, profile_of_codes, profile_of_gamma

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER_END: Final = 33
_CRITICAL: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PALETTE: Final = 3
_KEY_BYTES: Final = {0: 2, 2: 6}
"""By colour type, grey and RGB: one sample of 16 bits a channel, whatever the depth."""
_MAX_PROFILE_BYTES: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One chunk: its body, and all of it as it stands in the file; the last one may end early."""

    name: bytes
    body: bytes
    whole: bytes

    @property
    def is_whole(self) -> bool:
        """Whether the checksum is right."""
        return zlib.crc32(self.whole[4:-4]) == int.from_bytes(self.whole[-4:])


@dataclass(frozen=True, slots=True)
class _Frame:
    """A picture of `width` x `height` pixels at `left`, `top` of the canvas, and the chunks of its pixels."""

    width: int
    height: int
    left: int
    top: int
    pixels: tuple[bytes, ...]


def open_png(data: bytes, limits: Limits) -> Picture:
    """Return the first frame of a PNG on its canvas: mode 1, L, LA, RGB, RGBA, P or I;16. Raises BadPhoto."""
    chunks = list(_chunks(data))
    _check_chunks(chunks, len(data))
    width, height, depth, colour_type = struct.unpack_from(">IIBB", chunks[0].body)
    limits.check_size((width, height))
    notes = _notes(chunks)
    if colour_type == _PALETTE and b"PLTE" not in notes:
        raise BadPhoto("corrupt", "the palette is missing")
    frame = _first_frame(chunks, width, height)
    bare = _bare(chunks[0].body, notes, frame)
    image = _decoded(bare)
    if (key := _key(notes, depth, colour_type)) is not None:
        image = _with_alpha(image, _differs(image, bare, key, depth), depth)
    if (frame.width, frame.height) != (width, height):
        image = _on_canvas(image, frame, (width, height))
    return Picture(image, orientation_of(notes.get(b"eXIf", b"")), _profiles(notes))


def _check_chunks(chunks: Sequence[_Chunk], size: int) -> None:
    """Raise BadPhoto unless a whole header comes first and every chunk that decoders must know is known."""
    if size < _HEADER_END:
        raise BadPhoto("truncated", f"the header does not end within {size} bytes")
    unknown = next((c.name for c in chunks if not c.name[0] & 0x20 and c.name not in _CRITICAL), None)
    if unknown is not None:
        raise unsupported(f"PNG that needs its chunk {unknown!r} to be understood")
    if chunks[0].name != b"IHDR" or len(chunks[0].body) != 13 or not chunks[0].is_whole:
        raise BadPhoto("corrupt", "the header is damaged")
    if not any(chunk.name == b"IDAT" for chunk in chunks):
        raise BadPhoto("corrupt" if chunks[-1].name == b"IEND" else "truncated", f"no pixels in {size} bytes")


def _chunks(data: bytes) -> Iterator[_Chunk]:
    at = len(_SIGNATURE)
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        end = at + 12 + size
        yield _Chunk(data[at + 4 : at + 8], data[at + 8 : end - 4], data[at:end])
        at = end


def _notes(chunks: Sequence[_Chunk]) -> dict[bytes, bytes]:
    """Return what stands before the pixels, by name, the first of each: all that is whole but the header."""
    notes: dict[bytes, bytes] = {}
    for chunk in chunks[1:]:
        if chunk.name == b"IDAT":
            break
        misplaced = chunk.name == b"tRNS" and chunks[0].body[9] == _PALETTE and b"PLTE" not in notes
        if not misplaced and chunk.is_whole:
            notes.setdefault(chunk.name, chunk.body)
    return notes


def _first_frame(chunks: Sequence[_Chunk], width: int, height: int) -> _Frame:
    """Return the first frame of an animation, or the still picture."""
    names = [chunk.name for chunk in chunks]
    still = _Frame(width, height, 0, 0, tuple(chunk.whole for chunk in chunks if chunk.name == b"IDAT"))
    if b"acTL" not in names or b"fcTL" not in names or names.index(b"fcTL") < names.index(b"IDAT"):
        return still
    first = names.index(b"fcTL")
    box, rest = chunks[first].body[4:20], chunks[first + 1 :]
    if len(box) < 16:
        return still
    wide, high, left, top = struct.unpack(">IIII", box)
    end = next((n for n, chunk in enumerate(rest) if chunk.name == b"fcTL"), len(rest))
    pixels = tuple(_chunk(b"IDAT", chunk.body[4:]) for chunk in rest[:end] if chunk.name == b"fdAT")
    fits = wide and high and left + wide <= width and top + high <= height
    return _Frame(wide, high, left, top, pixels) if fits and pixels else still


def _bare(header: bytes, notes: dict[bytes, bytes], frame: _Frame) -> bytes:
    """Return a PNG of one frame without anything that does not belong to its pixels."""
    kept = [(b"IHDR", struct.pack(">II", frame.width, frame.height) + header[8:])]
    if header[9] == _PALETTE:
        kept += [(name, notes[name]) for name in (b"PLTE", b"tRNS") if name in notes]
    return b"".join((_SIGNATURE, *(_chunk(*each) for each in kept), *frame.pixels, _chunk(b"IEND", b"")))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _decoded(bare: bytes, rawmode: str = "") -> Image.Image:
    """Return the loaded picture; `rawmode` names how samples are read instead of Pillow's choice."""
    image = PngImagePlugin.PngImageFile(io.BytesIO(bare))
    if rawmode:
        image.tile = [tile._replace(args=rawmode) for tile in image.tile]
    image.load()
    return image


def _key(notes: dict[bytes, bytes], depth: int, colour_type: int) -> npt.NDArray[np.uint16] | None:
    """Return the samples, one a channel, that stand for transparent; only the bits of the depth count."""
    wanted, found = _KEY_BYTES.get(colour_type), notes.get(b"tRNS", b"")
    if wanted is None or len(found) != wanted:
        return None
    return (np.frombuffer(found, ">u2") & (2**depth - 1)).astype(np.uint16)


def _differs(image: Image.Image, bare: bytes, key: npt.NDArray[np.uint16], depth: int) -> npt.NDArray[np.bool_]:
    """Return where a picture is not of its key colour: bool [height, width]. All 16 bits of a sample count."""
    if image.mode == "RGB" and depth == 16:  # Pillow keeps the high bytes; read the other way round, the low ones
        low = np.asarray(_decoded(bare, "RGB;16L"))
        return np.any((np.asarray(image) != key >> 8) | (low != key & 255), axis=-1)
    if image.mode == "RGB":
        return np.any(np.asarray(image) != key, axis=-1)
    samples = np.asarray(image.convert("L") if image.mode == "1" else image)
    return samples != (key[0] if depth == 16 else int(key[0]) * 255 // (2**depth - 1))


def _with_alpha(image: Image.Image, opaque: npt.NDArray[np.bool_], depth: int) -> Image.Image:
    if depth == 16 and image.mode != "RGB":
        image = scaled_to_8_bit(image)
    image = image.convert("RGB" if image.mode == "RGB" else "L")
    image.putalpha(Image.fromarray(np.where(opaque, 255, 0).astype(np.uint8)))
    return image


def _on_canvas(image: Image.Image, frame: _Frame, size: tuple[int, int]) -> Image.Image:
    canvas = Image.new("RGBA", size, (0, 0, 0, 0))
    canvas.paste(scaled_to_8_bit(image).convert("RGBA"), (frame.left, frame.top))
    return canvas


def _profiles(notes: dict[bytes, bytes]) -> tuple[bytes, ...]:
    """Return the colour spaces that a file names, the one that counts most first: cICP, iCCP, sRGB, gAMA with cHRM."""
    codes = notes.get(b"cICP", b"")
    if len(codes) == 4 and codes[2:] == b"\0\1" and UNSPECIFIED not in codes[:2]:
        profile = profile_of_codes(codes[0], codes[1])
        return (profile,) if profile else ()
    named: list[bytes | None] = [_embedded(notes.get(b"iCCP", b""))]
    if b"sRGB" not in notes and len(gamma := notes.get(b"gAMA", b"")) == 4:
        named.append(profile_of_gamma(int.from_bytes(gamma) / 100000, _chromaticities(notes.get(b"cHRM", b""))))
    return tuple(profile for profile in named if profile)


def _embedded(chunk: bytes) -> bytes:
    """Return the profile of an iCCP chunk: a name, its end, the method (0) and compressed bytes."""
    _, _, packed = chunk.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(packed[1:], _MAX_PROFILE_BYTES)
    except zlib.error:
        return b""


def _chromaticities(chunk: bytes) -> Chromaticities | None:
    if len(chunk) != 32:
        return None
    white_x, white_y, *corners = (value / 100000 for value in struct.unpack(">8I", chunk))
    return (white_x, white_y, *corners)
