"""JPEGs by their markers: colour transforms, inks, profiles and EXIF blocks; and how they are shown."""

import struct

import numpy as np
from PIL import Image

from tests.transforms.odd_photos import encode
from tests.transforms.odd_profiles import gamma_profile, grey_profile, swapped_profile
from tests.transforms.shown import STRIPES, Shown, grey, striped

SHORT, LONG = 3, 4
_ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"
_LINEAR = ((229, 128, 56), (56, 229, 128), (128, 56, 229), (253, 248, 79))
_SWAPPED = tuple(colour[::-1] for colour in STRIPES)


def exif(value: int = 6, order: str = ">", kind: int = SHORT, count: int = 1, tag: int = 0x0112) -> bytes:
    """An EXIF block of one entry, without its prefix."""
    number = struct.pack(order + {1: "B3x", SHORT: "H2x", LONG: "I", 8: "h2x"}[kind], value)
    entry = struct.pack(f"{order}HHI", tag, kind, count) + number
    return (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HIH", 42, 8, 1) + entry + bytes(4)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_exif(data: bytes, *blocks: bytes) -> bytes:
    """A JPEG with EXIF blocks right behind its start."""
    return data[:2] + b"".join(segment(0xE1, b"Exif\0\0" + block) for block in blocks) + data[2:]


def xmp(orientation: int) -> bytes:
    """An XMP packet that tells an orientation."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def stripes(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(striped(*STRIPES).astype(np.uint8)).convert(mode)


def _jpeg(image: Image.Image, **options: object) -> bytes:
    sampling = {} if image.mode == "CMYK" else {"subsampling": 0}
    return encode(image, "JPEG", quality=98, **sampling, **options)


def _bare(data: bytes) -> bytes:
    """A JPEG without the segment it starts with: JFIF's, or Adobe's of one with inks."""
    return data[:2] + data[4 + int.from_bytes(data[4:6]) :]


def _adobe(data: bytes, transform: int) -> bytes:
    return data[:2] + _ADOBE + bytes([transform]) + _bare(data)[2:]


def _ycck() -> Image.Image:
    """Cyan, magenta and yellow as luminance and chrominance, inverted, since Pillow inverts what it stores of inks."""
    inks = np.asarray(stripes("CMYK"))
    ycc = np.asarray(Image.fromarray(inks[:, :, :3].copy()).convert("YCbCr"))
    return Image.fromarray(np.dstack([255 - ycc, inks[:, :, 3]]), "CMYK")


def shown() -> dict[str, Shown]:
    """Every JPEG by name. What EXIF says of Adobe RGB no browser hears."""
    plain, rgb, inks = _jpeg(stripes()), _jpeg(stripes(), keep_rgb=True), _jpeg(stripes("CMYK"))
    return {
        "jpeg_ycc": Shown(plain, STRIPES),
        "jpeg_ycc_no_marker": Shown(_bare(plain), STRIPES),
        "jpeg_ycc_adobe": Shown(_adobe(plain, 1), STRIPES),
        "jpeg_rgb_adobe": Shown(_adobe(rgb, 0), STRIPES),
        "jpeg_rgb_by_names": Shown(_bare(rgb), STRIPES),
        "jpeg_inks": Shown(inks, STRIPES),
        "jpeg_inks_progressive": Shown(_jpeg(stripes("CMYK"), progressive=True), STRIPES),
        "jpeg_inks_no_marker": Shown(_bare(inks), STRIPES),
        "jpeg_ycck": Shown(_adobe(_jpeg(_ycck()), 2), STRIPES, within=6),
        "jpeg_profile_linear": Shown(_jpeg(stripes(), icc_profile=gamma_profile(1.0)), _LINEAR),
        "jpeg_profile_called_srgb": Shown(_jpeg(stripes(), icc_profile=gamma_profile(1.0, "sRGB IEC61966")), _LINEAR),
        "jpeg_profile_swapped": Shown(_jpeg(stripes(), icc_profile=swapped_profile()), _SWAPPED),
        "jpeg_profile_broken": Shown(_jpeg(stripes(), icc_profile=b"nonsense" * 40), STRIPES),
        "jpeg_profile_cut": Shown(_jpeg(stripes(), icc_profile=gamma_profile(1.0)[:300]), STRIPES),
        "jpeg_profile_of_grey": Shown(_jpeg(stripes(), icc_profile=grey_profile(1.0)), STRIPES),
        "jpeg_grey_profile": Shown(
            _jpeg(Image.fromarray(striped(200, 10, 55, 250)[:, :, 0].astype(np.uint8)), icc_profile=grey_profile(1.0)),
            grey(229, 56, 128, 253),
        ),
        "jpeg_grey_profile_of_colour": Shown(
            _jpeg(Image.fromarray(striped(200, 10, 55, 250)[:, :, 0].astype(np.uint8)), icc_profile=gamma_profile(1.0)),
            grey(229, 56, 128, 253),
        ),
        "jpeg_exif_adobe_rgb": Shown(with_exif(plain, exif(2, tag=0xA001)), STRIPES),
    }


TURNED: dict[str, tuple[bytes, int]] = {
    **{f"little_{n}": (exif(n, "<"), n) for n in range(1, 9)},
    "long": (exif(6, kind=LONG), 1),
    "byte": (exif(6, kind=1), 1),
    "signed": (exif(6, kind=8), 1),
    "two_values": (exif(6, count=2), 1),
    "no_value": (exif(6, count=0), 1),
    "value_0": (exif(0), 1),
    "value_9": (exif(9), 1),
    "another_tag": (exif(6, tag=0x0113), 1),
    "no_next_directory": (exif(6)[:-4], 6),
    "more_entries_than_there_are": (exif(6)[:8] + b"\0\x09" + exif(6)[10:], 6),
    "cut_in_the_entry": (exif(6)[:14], 1),
    "cut_in_the_header": (exif(6)[:6], 1),
    "far_directory": (b"MM\0*" + struct.pack(">I", 200) + bytes(192) + exif(6)[8:], 6),
    "beyond_the_end": (b"MM\0*" + struct.pack(">I", 9000) + exif(6)[8:], 1),
    "of_the_thumbnail": (exif(5, tag=0x010E)[:-4] + struct.pack(">I", 26) + exif(6)[8:], 1),
    "damaged": (b"??\0*" + exif(6)[4:], 1),
    "twice_prefixed": (b"Exif\0\0" + exif(6), 1),
    "empty": (b"", 1),
}
"""EXIF blocks, and the orientation that Chromium and Firefox take from them."""
