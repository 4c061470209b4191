"""Colour spaces that a file names by numbers, as ICC profiles: ITU-T H.273 codes (cICP, nclx), and PNG's gAMA and cHRM.

It must not know about files. What browsers agree on is followed: the curves of video (BT.709, BT.2020) are taken for
sRGB's. Sources: ITU-T H.273 (07/2024), tables 2 and 3; ICC.1:2022.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.photo import unsupported

Floats = npt.NDArray[np.float64]
Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

UNSPECIFIED: Final = 2
SRGB_GAMMA: Final = 1 / 2.2

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
BT709: Final[Chromaticities] = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_SMPTE170M: Final[Chromaticities] = (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
_PRIMARIES: Final[dict[int, Chromaticities]] = {
    1: BT709,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: _SMPTE170M,
    7: _SMPTE170M,
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_HIGH_DYNAMIC_RANGE: Final = {16: "PQ", 18: "HLG"}


def _srgb(value: Floats) -> Floats:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _power(exponent: float, scale: float = 1.0) -> Callable[[Floats], Floats]:
    return lambda value: np.minimum(scale * value**exponent, 1.0)


def _logarithmic(decades: float) -> Callable[[Floats], Floats]:
    return lambda value: np.where(value > 0, 10.0 ** (decades * (value - 1)), 0.0)


_TO_LIGHT: Final[dict[int, Callable[[Floats], Floats]]] = {
    4: _power(2.2),
    5: _power(2.8),
    8: _power(1.0),
    9: _logarithmic(2.0),
    10: _logarithmic(2.5),
    17: _power(2.6, 52.37 / 48),
}
"""From samples to light, where it is not done as sRGB does; H.273, table 3."""


@lru_cache(maxsize=32)
def profile_of_codes(primaries: int, transfer: int) -> bytes | None:
    """Return the ICC profile of two H.273 codes; None for sRGB. Codes that are unknown or unspecified count as sRGB's.

    Raises BadPhoto for high dynamic range: what it looks like on a common screen is not agreed on.
    """
    if transfer in _HIGH_DYNAMIC_RANGE:
        raise unsupported(f"high dynamic range ({_HIGH_DYNAMIC_RANGE[transfer]})", "export it for sRGB screens")
    xy = _PRIMARIES.get(primaries, BT709)
    to_light = _TO_LIGHT.get(transfer, _srgb)
    return None if xy == BT709 and to_light is _srgb else _icc(xy, to_light)


@lru_cache(maxsize=32)
def profile_of_gamma(gamma: float, xy: Chromaticities | None) -> bytes | None:
    """Return the ICC profile of a PNG whose samples are light ** `gamma`; None for what is shown as it is.

    Without chromaticities a gamma near 1 / 2.2 means sRGB, as in libpng (within 5 %). Values that no space can have are
    as good as none.
    """
    if not 0.01 <= gamma <= 10 or (xy is None and abs(gamma / SRGB_GAMMA - 1) < 0.05):
        return None
    if xy is not None and not _spans_a_space(xy):
        return profile_of_gamma(gamma, None)
    return _icc(xy or BT709, _power(1 / gamma))


def _spans_a_space(xy: Chromaticities) -> bool:
    points = np.reshape(xy, (4, 2))
    if (points < 0).any() or (points > 1).any() or points[0, 1] == 0:
        return False
    (ax, ay), (bx, by) = points[2] - points[1], points[3] - points[1]
    return abs(float(ax * by - ay * bx)) > 1e-3


def _icc(xy: Chromaticities, to_light: Callable[[Floats], Floats]) -> bytes:
    """Return an ICC profile of version 2: three primaries, adapted to D50, and one curve for all channels."""
    columns = _to_d50(xy).T
    curve = np.rint(to_light(np.linspace(0.0, 1.0, 4096)) * 65535).astype(">u2")
    tags = [
        (b"wtpt", _xyz(_D50)),
        *((name, _xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)),
        (b"rTRC", b"curv\0\0\0\0" + struct.pack(">I", curve.size) + curve.tobytes()),
    ]
    head, body = 128 + 4 + 12 * (len(tags) + 2), b""
    table = struct.pack(">I", len(tags) + 2)
    for name, data in tags:
        table += name + struct.pack(">II", head + len(body), len(data))
        body += data
    shared = table[-8:]
    table += b"gTRC" + shared + b"bTRC" + shared
    size = struct.pack(">I", head + len(body))
    header = size + b"\0\0\0\0\x02\x40\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return header.ljust(128, b"\0") + table + body


_D50: Final = np.array([0.9642, 1.0, 0.8249])
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _to_d50(xy: Chromaticities) -> Floats:
    """Return the matrix from linear RGB to CIE XYZ under D50, float64 [3, 3]; adapted by Bradford's matrix."""
    points = np.reshape(xy, (4, 2))
    white, *corners = (np.array([x, y, 1 - x - y]) for x, y in points)
    white, primaries = white / white[1], np.stack(corners, axis=1)
    matrix = primaries * np.linalg.solve(primaries, white)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD) @ matrix


def _xyz(values: Floats) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))
