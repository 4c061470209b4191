"""What every format's reader returns: the picture as it is stored, and what the file says about showing it."""

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture within the limits, in any of Pillow's modes; of a JPEG the pixels are not decoded yet.

    `orientation` is 1 to 8 as in EXIF. `profiles` are ICC profiles, the one that counts most first: the first that fits
    the picture's mode is its colour space, and without one it is sRGB.
    """

    image: Image.Image
    orientation: int = 1
    profiles: tuple[bytes, ...] = ()
