"""From a photo's bytes to its picture as it is stored: one reader a format, each of which knows its format's ways."""

import io
from collections.abc import Callable
from typing import Final

from PIL import AvifImagePlugin, BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, WebPImagePlugin

from transforms import heif
from transforms.orientation import orientation_of
from transforms.photo import BadPhoto, Limits
from transforms.picture import Picture
from transforms.png import open_png
from transforms.sniff import sniff, webp_size
from transforms.spaces import profile_of_codes
from transforms.tiff import open_tiff

_WEBP_ALPHA, _WEBP_ANIMATED = 0x10, 0x02


def open_picture(data: bytes, limits: Limits) -> Picture:
    """Return the picture of `data`; its size is known to be within the limits before its pixels are decoded.

    Raises BadPhoto, and whatever decoders raise for damaged data.
    """
    if len(data) > limits.max_bytes:
        raise BadPhoto("too_large_bytes", f"{len(data)} bytes, the limit is {limits.max_bytes}")
    return _READERS[sniff(data)](data, limits)


def _open_jpeg(data: bytes, limits: Limits) -> Picture:
    """Leave the pixels to be decoded at the scale that is wanted of them."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    limits.check_size(image.size)
    return Picture(image, _orientation(image), _profiles(image))


def _open_gif(data: bytes, limits: Limits) -> Picture:
    """Read the first frame; where it does not cover the canvas nothing is shown."""
    image = GifImagePlugin.GifImageFile(io.BytesIO(data))
    limits.check_size(image.size)
    covered = image.tile[0].extents
    image.load()
    limits.check_size(image.size)  # a frame may be larger than the canvas that the header announces
    if covered == (0, 0, *image.size):
        return Picture(image.convert("RGBA") if "transparency" in image.info else image)
    canvas = Image.new("RGBA", image.size, (0, 0, 0, 0))
    canvas.paste(image.convert("RGBA").crop(covered), covered)
    return Picture(canvas)


def _open_bmp(data: bytes, limits: Limits) -> Picture:
    image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    limits.check_size(image.size)
    image.load()
    return Picture(image)


def _open_webp(data: bytes, limits: Limits) -> Picture:
    """Read the first frame. Browsers agree not to turn a WebP by its EXIF block."""
    limits.check_size(webp_size(data))  # opening allocates two canvases
    if data[12:16] == b"VP8X" and data[20] & _WEBP_ANIMATED:  # the canvas is transparent, whatever the frames are
        data = data[:20] + bytes([data[20] | _WEBP_ALPHA]) + data[21:]
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    limits.check_size(image.size)
    image.load()
    return Picture(image, profiles=_profiles(image))


def _open_avif(data: bytes, limits: Limits) -> Picture:
    """Read the main picture; it is turned by its own boxes, of which Pillow makes an EXIF block."""
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(heif.without_metadata(data)))
    limits.check_size(image.size)
    image.load()
    codes = heif.colour_codes(data)
    named = profile_of_codes(*codes) if codes else None
    return Picture(image, _orientation(image), _profiles(image) + ((named,) if named else ()))


def _orientation(image: Image.Image) -> int:
    """Return what the first EXIF block says; Pillow appends those that follow."""
    return orientation_of(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))


def _profiles(image: Image.Image) -> tuple[bytes, ...]:
    profile = image.info.get("icc_profile")
    return (profile,) if profile else ()


_READERS: Final[dict[str, Callable[[bytes, Limits], Picture]]] = {
    "JPEG": _open_jpeg,
    "PNG": open_png,
    "GIF": _open_gif,
    "BMP": _open_bmp,
    "TIFF": open_tiff,
    "WEBP": _open_webp,
    "AVIF": _open_avif,
}
