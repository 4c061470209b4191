"""A photo of four stripes, and the colours in which it is shown: the words of the tables in the modules odd_*."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIDE = 32
WHITE = (255, 255, 255)
STRIPES = ((200, 55, 10), (10, 200, 55), (55, 10, 200), (250, 240, 20))

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Shown:
    """A file, and how Chromium and Firefox show its stripes (or, of a TIFF, libvips and ImageMagick), from the left."""

    data: bytes
    colours: tuple[Colour, Colour, Colour, Colour]
    within: int = 4


def grey(*values: int) -> tuple[Colour, Colour, Colour, Colour]:
    """Four greys as colours."""
    one, two, three, four = ((value, value, value) for value in values)
    return one, two, three, four


def striped(*samples: object) -> npt.NDArray[np.int64]:
    """Four samples, numbers or tuples, as stripes: `[32, 32, channels]`."""
    columns = np.array(samples, np.int64).reshape(4, -1)
    return np.tile(np.repeat(columns, SIDE // 4, axis=0)[None], (SIDE, 1, 1))


def over_white(colour: Colour, alpha: float) -> Colour:
    """A colour of some opacity, 0 to 1, over white."""
    red, green, blue = (round(255 - (255 - value) * alpha) for value in colour)
    return red, green, blue
