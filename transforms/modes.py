"""Every colour mode that decoders give, in one that can be resampled.

It must not know about formats, sizes or files.
"""

import numpy as np
from PIL import Image

from transforms.photo import unsupported

_TARGETS = {"1": "L", "P": "RGB", "PA": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "La": "LA", "RGBa": "RGBA"}
_TRUE_NAMES = {"F": "floating-point samples", "I": "samples of 32 bits or with a sign", "LAB": "CIE Lab"}


def to_resizable(image: Image.Image) -> Image.Image:
    """Return `image` in a mode that can be resampled: L, RGB, LA, RGBA or CMYK, 8 bits a channel.

    Raises BadPhoto unsupported_format for floating-point, 32-bit and Lab pictures.
    """
    mode = image.mode
    if mode in ("L", "RGB", "LA", "RGBA", "CMYK"):
        return image
    if mode.startswith("I;16"):
        return scaled_to_8_bit(image)
    if mode == "P" and "transparency" in image.info:
        return image.convert("RGBA")
    target = _TARGETS.get(mode)
    if target is None:
        raise unsupported(_TRUE_NAMES.get(mode, f"colour mode {mode}"), "convert it to 8-bit RGB")
    return image.convert(target)


def scaled_to_8_bit(image: Image.Image, top: int = 65535) -> Image.Image:
    """Return a grey picture of 16 bits as one of 8: 0..`top` is scaled to 0..255, rounded. Others stay as they are."""
    if not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.uint32)
    return Image.fromarray(np.minimum((values * 255 + top // 2) // top, 255).astype(np.uint8))
