"""Which way up a photo is shown: the EXIF orientation, read as browsers read it.

Chromium and Firefox agree: one number of 16 bits in the first directory, and nothing else. What XMP, a directory of
the thumbnail, or a number of another kind says turns no picture.
"""

import struct
from typing import Final

from PIL import Image

_TAG: Final = 0x0112
_SHORT: Final = 3
_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
_UPRIGHT: Final[dict[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MIRRORED_ACROSS: Final = frozenset((2, 3, 7, 8))
_MIRRORED_DOWN: Final = frozenset((3, 4, 6, 7))
Sides = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a photo, in pixels."""


def orientation_of(exif: bytes) -> int:
    """Return the orientation that an EXIF block (a TIFF) tells, 1 to 8; 1 where it tells none or is damaged."""
    order = _ORDERS.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    at = struct.unpack_from(f"{order}I", exif, 4)[0]
    count = struct.unpack_from(f"{order}H", exif, at)[0] if at + 2 <= len(exif) else 0
    for entry in range(at + 2, min(at + 2 + 12 * count, len(exif) - 9), 12):
        tag, kind, values, value = struct.unpack_from(f"{order}HHIH", exif, entry)
        if tag == _TAG:
            return value if kind == _SHORT and values == 1 and 1 <= value <= 8 else 1
    return 1


def swaps_sides(orientation: int) -> bool:
    """Tell whether a photo of this orientation is shown as wide as it is stored high."""
    return orientation >= 5


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return `image` as it is shown."""
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


def as_stored(shown: Sides, size: tuple[int, int], orientation: int) -> Sides:
    """Return where a part of a photo as it is shown lies in the photo as it is stored, of `size` (width, height)."""
    left, top, right, bottom = shown
    if swaps_sides(orientation):
        left, top, right, bottom = top, left, bottom, right
    width, height = size
    if orientation in _MIRRORED_ACROSS:
        left, right = width - right, width - left
    if orientation in _MIRRORED_DOWN:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom
