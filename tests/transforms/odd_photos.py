"""Photos as suppliers send them, made by code: one scene in every format, colour mode and orientation that is read."""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from tests.transforms.odd_profiles import swapped_profile

SIZE = (120, 160)  # width, height
RED, GREEN, BLUE, YELLOW, DARK = (205, 45, 50), (40, 160, 75), (45, 75, 190), (230, 200, 60), (30, 30, 35)

# EXIF orientation -> what a camera held that way stores of an upright scene: the inverse of how it is shown.
_STORED = {
    1: lambda image: image,
    2: ImageOps.mirror,
    3: lambda image: image.rotate(180),
    4: ImageOps.flip,
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.rotate(90, expand=True),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.rotate(-90, expand=True),
}


@lru_cache
def scene() -> Image.Image:
    """Four coloured quarters and a dark disc off the middle: no symmetry that would hide a wrong turn."""
    drawn = Image.new("RGB", (480, 640))
    pen = ImageDraw.Draw(drawn)
    for box, colour in (
        ((0, 0, 239, 319), RED),
        ((240, 0, 479, 319), GREEN),
        ((0, 320, 239, 639), BLUE),
        ((240, 320, 479, 639), YELLOW),
    ):
        pen.rectangle(box, fill=colour)
    pen.ellipse((280, 60, 440, 220), fill=DARK)
    return drawn.resize(SIZE, Image.Resampling.LANCZOS)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def turned(orientation: int, kind: str = "JPEG", **options: object) -> bytes:
    """The scene as stored by a camera that was held so, with the tag that says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(_STORED[orientation](scene()), kind, exif=exif, **options)


def alpha_mask() -> Image.Image:
    """Opaque in the upper half, half transparent in the lower left quarter, transparent in the lower right one."""
    mask = Image.new("L", SIZE, 255)
    mask.paste(128, (0, 80, 60, 160))
    mask.paste(0, (60, 80, 120, 160))
    return mask


def with_alpha(mode: str = "RGBA") -> Image.Image:
    image = scene().convert(mode[:-1])
    image.putalpha(alpha_mask())
    return image


def blue_and_red_swapped(image: Image.Image) -> Image.Image:
    return Image.merge("RGB", image.split()[::-1])


def key_colour_png() -> bytes:
    """An opaque PNG in which one exact colour, that of the lower right quarter, stands for transparent."""
    flat = Image.new("RGB", SIZE, RED)
    flat.paste(YELLOW, (60, 80, 120, 160))
    return encode(flat, "PNG", transparency=YELLOW)


def palette(transparent: bool) -> Image.Image:
    image = scene().quantize(64, dither=Image.Dither.NONE)
    if transparent:  # the lower right quarter becomes an entry of its own, the last of 256, which is transparent
        image.putpalette([*image.getpalette(), *[0] * 768][:768])
        image.paste(255, (60, 80, 120, 160))
        image.info["transparency"] = 255
    return image


def zone_plate() -> Image.Image:
    """Rings that get finer outwards, 640 x 800: where another filter or another decoding scale shows."""
    rows, columns = np.mgrid[-400:400, -320:320] / 400.0
    red, green, blue = (127.5 + 127.5 * np.cos(fineness * (rows**2 + columns**2)) for fineness in (60, 80, 100))
    return Image.fromarray(np.stack([red, green, blue], axis=-1).round().astype(np.uint8))


def animation(kind: str, **options: object) -> bytes:
    """Three frames, of which the first is the scene and the others are black and white."""
    rest = [Image.new("RGB", SIZE, colour) for colour in ("black", "white")]
    return encode(scene(), kind, save_all=True, append_images=rest, duration=100, loop=0, **options)


GOLDEN: dict[str, Callable[[], bytes]] = {
    **{f"jpeg_exif_{n}": (lambda n=n: turned(n, quality=95)) for n in range(1, 9)},
    "png_exif_6": lambda: turned(6, "PNG"),
    **{f"avif_exif_{n}": (lambda n=n: turned(n, "AVIF", quality=95)) for n in range(1, 9)},
    **{f"tiff_exif_{n}": (lambda n=n: turned(n, "TIFF")) for n in range(1, 9)},
    "jpeg_grey": lambda: encode(scene().convert("L"), "JPEG", quality=95),
    "jpeg_progressive_420": lambda: encode(scene(), "JPEG", quality=90, progressive=True, subsampling=2),
    "jpeg_cmyk": lambda: encode(scene().convert("CMYK"), "JPEG", quality=95),
    "jpeg_profile": lambda: encode(blue_and_red_swapped(scene()), "JPEG", quality=95, icc_profile=swapped_profile()),
    "tiff_cmyk": lambda: encode(scene().convert("CMYK"), "TIFF"),
    "png_profile": lambda: encode(blue_and_red_swapped(scene()), "PNG", icc_profile=swapped_profile()),
    "png_rgba": lambda: encode(with_alpha("RGBA"), "PNG"),
    "png_la": lambda: encode(with_alpha("LA"), "PNG"),
    "png_palette": lambda: encode(palette(transparent=False), "PNG"),
    "png_palette_transparent": lambda: encode(palette(transparent=True), "PNG"),
    "png_key_colour": key_colour_png,
    "png_bilevel": lambda: encode(scene().convert("L").point(lambda value: 255 * (value > 100), "1"), "PNG"),
    "gif_transparent": lambda: encode(palette(transparent=True), "GIF", transparency=255),
    "gif_animated": lambda: animation("GIF"),
    "png_animated": lambda: animation("PNG"),
    "webp_animated": lambda: animation("WEBP", lossless=True),
    "webp_lossy": lambda: encode(scene(), "WEBP", quality=95),
    "webp_rgba": lambda: encode(with_alpha(), "WEBP", lossless=True),
    "bmp": lambda: encode(scene(), "BMP"),
    "jpeg_rings": lambda: encode(zone_plate(), "JPEG", quality=95, subsampling=0),
    "png_rings": lambda: encode(zone_plate(), "PNG"),
    "wide": lambda: encode(scene().resize((160, 20)), "PNG"),
    "small": lambda: encode(scene().resize((24, 32)), "PNG"),
}
