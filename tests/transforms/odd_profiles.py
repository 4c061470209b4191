"""ICC profiles, written out by ICC.1: what a photo's colours are said to be, with names that may lie."""

import itertools
import struct

from PIL import ImageCms

_D50 = (0.9642, 1.0, 0.8249)
# sRGB's primaries as CIE XYZ, adapted to D50: the columns of the matrix in IEC 61966-2-1's profile.
_SRGB_COLUMNS = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


def _profile(space: bytes, kind: bytes, connection: bytes, tags: dict[bytes, bytes], version: int = 2) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I", start + len(body)) + b"\0\0\0\0" + bytes([version, 0x40, 0, 0])
    header += kind + space + connection + bytes(12) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return header.ljust(128, b"\0") + table + body


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _name(text: str) -> bytes:
    encoded = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(encoded)) + encoded + bytes(78)


def gamma_profile(gamma: float, name: str = "any", swapped: bool = False) -> bytes:
    """sRGB's primaries, red and blue `swapped` or not, and light = sample ** gamma."""
    red, green, blue = _SRGB_COLUMNS[::-1] if swapped else _SRGB_COLUMNS
    tags = {b"desc": _name(name), b"wtpt": _xyz(_D50), b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
    return _profile(b"RGB ", b"mntr", b"XYZ ", tags | {name: _curve(gamma) for name in (b"rTRC", b"gTRC", b"bTRC")})


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", b"mntr", b"XYZ ", {b"desc": _name("grey"), b"wtpt": _xyz(_D50), b"kTRC": _curve(gamma)})


def srgb_profile(name: str = "sRGB") -> bytes:
    """sRGB under a name of four letters."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))


def swapped_profile() -> bytes:
    """sRGB, but its red primary is sRGB's blue and the other way round."""
    return srgb_profile("BGRs").replace(b"rXYZ", b"?XYZ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"?XYZ", b"bXYZ", 1)


def cmyk_profile() -> bytes:
    """A press that has been filled with red ink where cyan should be; other inks are black.

    One lut8 (mft1) of 2 grid points for each of 4 inks, giving CIELAB.
    """
    identity = bytes(range(256))
    nodes = b""
    for cyan, *rest in itertools.product((0, 1), repeat=4):
        lightness, a, b = (0, 0, 0) if any(rest) else (54, 81, 70) if cyan else (100, 0, 0)  # 54, 81, 70 is red
        nodes += bytes([round(lightness * 2.55), a + 128, b + 128])
    matrix = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    lut = b"mft1\0\0\0\0\x04\x03\x02\0" + matrix + identity * 4 + nodes + identity * 3
    return _profile(b"CMYK", b"prtr", b"Lab ", {b"wtpt": _xyz(_D50), b"A2B0": lut})
