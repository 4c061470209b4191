"""Every colour mode that decoders give, turned into 8-bit sRGB over white.

It must not know about formats, sizes or files. Colour transforms are cached for the process (they cost milliseconds
and photos of one supplier share a profile); nothing else is global.
"""

import io
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from transforms.photo import BadPhoto

WHITE: Final = (255, 255, 255)
_PROFILE_SPACE: Final = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


def to_resizable(image: Image.Image) -> Image.Image:
    """Return `image` in a mode that can be resampled: L, RGB, LA, RGBA or CMYK, 8 bits a channel.

    Raises BadPhoto unsupported_format for floating-point, 32-bit and Lab pictures.
    """
    mode = image.mode
    if mode.startswith("I;16"):
        return _from_16_bit(image)
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):
        return _with_key_colour(image)
    if mode in ("L", "RGB", "LA", "RGBA", "CMYK"):
        return image
    target = {"1": "L", "P": "RGB", "PA": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "La": "LA", "RGBa": "RGBA"}.get(mode)
    if target is None:
        raise BadPhoto("unsupported_format", f"colour mode {mode}; convert it to 8-bit RGB")
    return image.convert(target)


def to_srgb_over_white(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Return an L, RGB, LA, RGBA or CMYK `image` as RGB: alpha over white, then from its ICC profile to sRGB.

    A profile that is broken, or of another colour space than the picture, is ignored: the picture is what counts.
    """
    if image.mode in ("LA", "RGBA"):
        image = _over_white(image)
    if icc_profile:
        transform = _srgb_transform(icc_profile, image.mode)
        if transform is None and image.mode == "L":
            image = image.convert("RGB")
            transform = _srgb_transform(icc_profile, "RGB")
        if transform is not None:
            image = transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", image.size, WHITE)
    canvas.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return canvas


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Scale 0..65535 to 0..255, rounded; a key colour becomes alpha."""
    values = np.asarray(image).astype(np.uint32)
    grey = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return grey
    alpha = Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, alpha))


def _with_key_colour(image: Image.Image) -> Image.Image:
    """Turn a palette's transparency, or one colour that stands for it, into alpha."""
    key = image.info["transparency"]
    if image.mode == "RGB" and max(key) > 255:  # of a picture with 16 bits a channel, decoded to its high bytes
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image.convert("RGBA")


@lru_cache(maxsize=32)
def _srgb_transform(icc_profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from a profile to sRGB; None if there is nothing to do, or nothing that can be done."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        if profile.profile.xcolor_space.strip() != _PROFILE_SPACE.get(mode):
            return None
        if mode == "RGB" and ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return None
        return ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
