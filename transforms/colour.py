"""Any colour space, turned into 8-bit sRGB over white.

It must not know about formats, sizes or files. Colour transforms are cached for the process (they cost milliseconds
and photos of one supplier share a profile); nothing else is global.
"""

import io
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

WHITE: Final = (255, 255, 255)
_PROFILE_SPACE: Final = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_OPAQUE: Final = {"LA": "L", "RGBA": "RGB"}
_UNSEEN: Final = 2
"""Levels in which profiles of sRGB differ from each other: no reason to touch pixels."""


def to_srgb_over_white(image: Image.Image, profiles: Iterable[bytes] = ()) -> Image.Image:
    """Return an L, RGB, LA, RGBA or CMYK `image` as RGB: from the first ICC profile that fits to sRGB, then over white.

    A profile that is broken, or of another colour space than the picture, does not fit: the picture is what counts.
    """
    alpha = image.getchannel("A") if image.mode in _OPAQUE else None
    colours = image if alpha is None else image.convert(_OPAQUE[image.mode])
    for profile in profiles:
        converted = _converted(colours, profile)
        if converted is not None:
            colours = converted
            break
    colours = colours if colours.mode == "RGB" else colours.convert("RGB")
    if alpha is None:
        return colours
    canvas = Image.new("RGB", image.size, WHITE)
    canvas.paste(colours, mask=alpha)
    return canvas


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Return `image` in sRGB, or as it is if a profile says that it is; None if the profile does not fit."""
    for mode in ("L", "RGB") if image.mode == "L" else (image.mode,):  # grey is often described as colour
        fits, transform = _srgb_transform(profile, mode)
        if fits:
            return image if transform is None else transform.apply(image if image.mode == mode else image.convert(mode))
    return None


@lru_cache(maxsize=32)
def _srgb_transform(profile: bytes, mode: str) -> tuple[bool, ImageCms.ImageCmsTransform | None]:
    """Return whether a profile fits a mode, and the transform to sRGB; None for that if there is nothing to do.

    What a profile is called is not asked: linear ones have names that begin with sRGB too.
    """
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space.strip() != _PROFILE_SPACE.get(mode):
            return False, None
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB", renderingIntent=intent)
        return True, None if _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False, None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "CMYK":
        return False
    if mode == "L":
        samples = Image.fromarray(levels[None, :])
    else:
        samples = Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3))
    shift = np.asarray(transform.apply(samples)).astype(int) - np.asarray(samples.convert("RGB"))
    return bool(np.abs(shift).max() <= _UNSEEN)
