"""From a photo's original bytes to the prepared photo that every model sees: one function, for batch and for queries.

It must not know where bytes come from or go to. It changes no global state of Pillow, and is safe in threads.
"""

import io
from collections.abc import Callable
from typing import Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from transforms.colour import WHITE, to_resizable, to_srgb_over_white
from transforms.phash import phash
from transforms.photo import BadPhoto, Limits, Prepared, PrepSpec
from transforms.sniff import sniff, webp_size

# The plugins' classes are called directly: Image.open tries plugins in turn, opens the second picture of a JPEG, and
# warns by process-wide limits of its own.
_OPENERS: Final[dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}

_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final[dict[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_METADATA_KEYS: Final = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_SIGNS_OF_TRUNCATION: Final = ("truncated", "unexpected end", "end of file", "not enough data", "not enough image data")
_DEFAULT_LIMITS: Final = Limits()


def prepare(data: bytes, spec: PrepSpec, limits: Limits = _DEFAULT_LIMITS) -> Prepared:
    """Return the prepared photo of `data`: upright, sRGB, over white, fit inside the spec's canvas, JPEG 4:4:4.

    Smaller photos are centred and not enlarged; nothing is cropped. Of an animation the first frame counts. Equal
    bytes in give equal bytes out. Raises BadPhoto for everything that is wrong with `data`; MemoryError passes, for it
    is the machine's.
    """
    try:
        picture, width, height = _decode_fitted(data, spec, limits)
        return Prepared(_encode(_pad(picture, spec), spec.quality), width, height, phash(picture))
    except (BadPhoto, MemoryError):
        raise
    except Exception as error:  # decoders raise a dozen unrelated types; none of them may stop a batch
        raise _blame(error) from error


def _decode_fitted(data: bytes, spec: PrepSpec, limits: Limits) -> tuple[Image.Image, int, int]:
    """Return the upright sRGB picture, no larger than the canvas, and the original's width and height as shown."""
    image = _open(data, limits)
    if image.format != "JPEG":
        image.load()
        _check_size(image.size, limits)  # a frame may be larger than the header's canvas
    orientation = _orientation(image)
    turned = orientation >= 5
    width, height = image.size[::-1] if turned else image.size
    scale = min(spec.width / width, spec.height / height, 1.0)
    shown = max(1, round(width * scale)), max(1, round(height * scale))
    picture = _resize(image, shown[::-1] if turned else shown)
    picture = to_srgb_over_white(picture, image.info.get("icc_profile"))
    if orientation in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[orientation])
    return picture, width, height


def _open(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Return the opened image, its pixels not decoded yet, once its size is known to be within the limits."""
    if len(data) > limits.max_bytes:
        raise BadPhoto("too_large_bytes", f"{len(data)} bytes, the limit is {limits.max_bytes}")
    kind = sniff(data)
    if kind == "WEBP":
        _check_size(webp_size(data), limits)
    image = _OPENERS[kind](io.BytesIO(data))
    _check_size(image.size, limits)
    return image


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise BadPhoto("too_many_pixels", f"{width} x {height} pixels, the limit is {limits.max_pixels} in all")
    if min(width, height) < limits.min_side:
        raise BadPhoto("too_small", f"{width} x {height} pixels, the shorter side must have {limits.min_side}")


def _orientation(image: ImageFile.ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8; 1 if there is none or it cannot be read."""
    if not any(key in image.info for key in _METADATA_KEYS):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - damaged metadata is common, and says nothing about the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _resize(image: ImageFile.ImageFile, size: tuple[int, int]) -> Image.Image:
    """Return `image` at `size`; JPEG is decoded at the smallest DCT scale that is no smaller than `size`."""
    drafted = image.draft(None, size) if image.format == "JPEG" else None
    image.load()
    picture = to_resizable(image)
    if picture.size == size:
        return picture
    # The box is fractional where the scaled decode rounded up. The gap averages whole pixels of huge photos first.
    return picture.resize(size, Image.Resampling.BICUBIC, box=drafted[1] if drafted else None, reducing_gap=3.0)


def _pad(picture: Image.Image, spec: PrepSpec) -> Image.Image:
    """Return `picture` in the middle of a white canvas of the spec's size."""
    width, height = picture.size
    if (width, height) == (spec.width, spec.height):
        return picture
    canvas = Image.new("RGB", (spec.width, spec.height), WHITE)
    canvas.paste(picture, ((spec.width - width) // 2, (spec.height - height) // 2))
    return canvas


def _encode(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    # Without the empty comment, the original's would be copied.
    picture.save(out, "JPEG", quality=quality, subsampling=0, comment=b"")
    return out.getvalue()


def _blame(error: Exception) -> BadPhoto:
    """Return the reject for a decoder's error."""
    if isinstance(error, Image.DecompressionBombError):
        return BadPhoto("too_many_pixels", str(error))
    text = f"{type(error).__name__}: {error}"
    truncated = isinstance(error, EOFError) or any(sign in text.lower() for sign in _SIGNS_OF_TRUNCATION)
    return BadPhoto("truncated" if truncated else "corrupt", text)
