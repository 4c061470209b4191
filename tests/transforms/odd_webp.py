"""WebPs, and how they are shown."""

import numpy as np
from PIL import Image

from tests.transforms.odd_jpeg import exif, stripes, xmp
from tests.transforms.odd_photos import encode
from tests.transforms.odd_profiles import gamma_profile
from tests.transforms.shown import STRIPES, WHITE, Shown, over_white, striped

_LINEAR = ((229, 128, 56), (56, 229, 128), (128, 56, 229), (253, 248, 79))


def see_through() -> Image.Image:
    image = stripes()
    image.putalpha(Image.fromarray(striped(255, 128, 0, 255)[:, :, 0].astype(np.uint8)))
    return image


def shown() -> dict[str, Shown]:
    """Every WebP by name; no browser turns one by EXIF or XMP."""
    part = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    part.paste(stripes().crop((8, 8, 24, 24)), (8, 8))
    rest = [stripes("RGBA")]
    faded = (STRIPES[0], over_white(STRIPES[1], 0.5), WHITE, STRIPES[3])
    turned = {"lossless": True, "exif": b"Exif\0\0" + exif(6), "xmp": xmp(6)}
    moving = {"lossless": True, "save_all": True, "append_images": rest, "duration": 60_000, "minimize_size": True}
    return {
        "webp_lossless": Shown(encode(stripes(), "WEBP", lossless=True), STRIPES),
        "webp_alpha": Shown(encode(see_through(), "WEBP", lossless=True), faded),
        "webp_alpha_lossy": Shown(encode(see_through(), "WEBP", quality=100), faded, within=16),
        "webp_profile": Shown(encode(stripes(), "WEBP", lossless=True, icc_profile=gamma_profile(1.0)), _LINEAR),
        "webp_exif_and_xmp": Shown(encode(stripes(), "WEBP", **turned), STRIPES),
        "webp_animated_part": Shown(encode(part, "WEBP", **moving), (WHITE, STRIPES[1], STRIPES[2], WHITE)),
        "webp_animated_on_background": Shown(
            encode(part, "WEBP", background=(255, 0, 0, 255), **moving), (WHITE, STRIPES[1], STRIPES[2], WHITE)
        ),
    }
