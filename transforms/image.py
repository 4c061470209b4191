"""From a photo's original bytes to the prepared photo that every model sees: one way, for batch and for queries.

It must not know where bytes come from or go to. It changes no global state of Pillow, and is safe in threads.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import Image

from transforms.colour import WHITE, to_srgb_over_white
from transforms.modes import to_resizable
from transforms.opening import open_picture
from transforms.orientation import Sides, as_stored, swaps_sides, upright
from transforms.phash import phash
from transforms.photo import BadPhoto, Box, Limits, Prepared, PrepSpec, unsupported
from transforms.sniff import sniff

_SIGNS_OF_TRUNCATION: Final = ("truncated", "unexpected end", "end of file", "not enough data", "not enough image data")
_SIGNS_OF_ANOTHER_KIND: Final = (
    "unsupported",
    "not supported",
    "unknown pixel mode",
    "unknown raw mode",
    "cannot handle",
)
_DEFAULT_LIMITS: Final = Limits()


def prepare(data: bytes, spec: PrepSpec, limits: Limits = _DEFAULT_LIMITS, box: Box | None = None) -> Prepared:
    """Return the prepared photo of `data`: upright, sRGB, over white, fit inside the spec's canvas, JPEG 4:4:4.

    Smaller photos are centred and not enlarged; nothing is cropped but what lies outside `box`, where one is given. Of
    an animation the first frame counts. Equal bytes in give equal bytes out. Raises BadPhoto for everything that is
    wrong with `data`; MemoryError passes, for it is the machine's.
    """
    with _blamed(data):
        picture, width, height = _decode_fitted(data, spec, limits, box)
        return Prepared(_encode(_pad(picture, spec), spec.quality), width, height, phash(picture))


def prepare_query(data: bytes, spec: PrepSpec, limits: Limits = _DEFAULT_LIMITS, box: Box | None = None) -> bytes:
    """Return the JPEG that `prepare` gives, without what tells photos of a catalogue apart. Raises as it does."""
    with _blamed(data):
        picture, _, _ = _decode_fitted(data, spec, limits, box)
        return _encode(_pad(picture, spec), spec.quality)


@contextmanager
def _blamed(data: bytes) -> Iterator[None]:
    """Raise BadPhoto for what decoders raise, a dozen unrelated types: none of them may stop a batch."""
    try:
        yield
    except (BadPhoto, MemoryError):
        raise
    except Exception as error:
        raise _blame(error, data) from error


def _decode_fitted(data: bytes, spec: PrepSpec, limits: Limits, box: Box | None) -> tuple[Image.Image, int, int]:
    """Return the upright sRGB picture, no larger than the canvas, and the original's width and height as shown."""
    stored = open_picture(data, limits)
    turned = swaps_sides(stored.orientation)
    width, height = size = stored.image.size[::-1] if turned else stored.image.size
    part = Box(0, 0, width, height) if box is None else box.within(size, limits)
    wide, high = part.right - part.left, part.bottom - part.top
    scale = min(spec.width / wide, spec.height / high, 1.0)
    shown = max(1, round(wide * scale)), max(1, round(high * scale))
    whole = max(1, round(width * scale)), max(1, round(height * scale))
    sides = as_stored((part.left, part.top, part.right, part.bottom), stored.image.size, stored.orientation)
    picture = _resize(stored.image, shown[::-1] if turned else shown, whole[::-1] if turned else whole, sides)
    picture = to_srgb_over_white(picture, stored.profiles)
    return upright(picture, stored.orientation), width, height


def _resize(image: Image.Image, size: tuple[int, int], whole: tuple[int, int], part: Sides) -> Image.Image:
    """Return a `part` of `image` at `size`, all of which would be `whole`.

    JPEG is decoded at the smallest DCT scale that is no smaller than `whole`.
    """
    width, height = image.size
    drafted = image.draft(None, whole) if image.format == "JPEG" else None
    image.load()
    picture = to_resizable(image)
    is_all = part == (0, 0, width, height)
    if is_all and picture.size == size:
        return picture
    # The sides are fractional where the scaled decode rounded up.
    _, _, right, bottom = drafted[1] if drafted else (0, 0, *picture.size)
    across, down = right / width, bottom / height
    sides = part[0] * across, part[1] * down, part[2] * across, part[3] * down
    # The gap averages whole pixels of huge photos first.
    return picture.resize(
        size, Image.Resampling.BICUBIC, box=(0, 0, right, bottom) if is_all else sides, reducing_gap=3.0
    )


def _pad(picture: Image.Image, spec: PrepSpec) -> Image.Image:
    """Return `picture` in the middle of a white canvas of the spec's size."""
    width, height = picture.size
    if (width, height) == (spec.width, spec.height):
        return picture
    canvas = Image.new("RGB", (spec.width, spec.height), WHITE)
    canvas.paste(picture, ((spec.width - width) // 2, (spec.height - height) // 2))
    return canvas


def _encode(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    # Without the empty comment, the original's would be copied.
    picture.save(out, "JPEG", quality=quality, subsampling=0, comment=b"")
    return out.getvalue()


def _blame(error: Exception, data: bytes) -> BadPhoto:
    """Return the reject for a decoder's error."""
    if isinstance(error, Image.DecompressionBombError):
        return BadPhoto("too_many_pixels", str(error))
    text = f"{type(error).__name__}: {error}"
    lowered = text.lower()
    if isinstance(error, EOFError) or any(sign in lowered for sign in _SIGNS_OF_TRUNCATION):
        return BadPhoto("truncated", text)
    if any(sign in lowered for sign in _SIGNS_OF_ANOTHER_KIND):
        return unsupported(f"{sniff(data)} of a rare kind ({error})")
    return BadPhoto("corrupt", text)
