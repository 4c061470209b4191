"""From a prepared photo to the numbers that models read, on the CPU without TensorFlow.

The twin of transforms/tf_pixels.py, which does the same inside a graph: both must give equal pixels.
"""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

# Fixed for good, and not the mean of anything: a mean that follows the catalogue would move the vector space with it.
PIXEL_CENTRE: Final = 127.5
PIXEL_SCALE: Final = 127.5


def decode_prepared(jpeg: bytes) -> npt.NDArray[np.uint8]:
    """Return the pixels of a prepared photo: uint8 [height, width, 3], RGB.

    Raises ValueError for anything but an RGB JPEG: original photos go through `prepare` first.
    """
    if not jpeg.startswith(b"\xff\xd8\xff"):
        raise ValueError(f"not a prepared photo, it starts with {jpeg[:8]!r}: call prepare first")
    image = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
    if image.mode != "RGB":
        raise ValueError(f"a prepared photo is RGB, this one is {image.mode}: call prepare first")
    return np.asarray(image)


def normalise(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return uint8 pixels of any shape as float32 in [-1, 1]: (pixel - 127.5) / 127.5; white is 1."""
    return (pixels.astype(np.float32) - np.float32(PIXEL_CENTRE)) / np.float32(PIXEL_SCALE)
