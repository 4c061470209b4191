"""PNGs that name their colour space, in one of four ways or in several; and how they are shown."""

from collections.abc import Sequence

from tests.transforms.odd_png import (
    GREY,
    PALETTE,
    RGB,
    Chunk,
    chrm,
    cicp,
    gama,
    iccp,
    png,
    srgb,
)
from tests.transforms.odd_profiles import gamma_profile, srgb_profile
from tests.transforms.shown import STRIPES, Colour, Shown, grey, striped

_RGB_CHRM = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_P3_CHRM = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
_LINEAR = ((229, 128, 56), (56, 229, 128), (128, 56, 229), (253, 248, 79))
_P3 = ((218, 33, 0), (0, 204, 0), (61, 5, 208), (252, 240, 0))
_WIDE = ((248, 0, 0), (0, 211, 0), (38, 0, 210), (255, 240, 0))


def shown() -> dict[str, Shown]:
    """What gAMA, cHRM, sRGB, iCCP and cICP do, and which of them counts.

    Firefox lets gAMA count beside sRGB, against the specification; Chromium gives it up where cHRM makes no sense.
    """
    linear = iccp(gamma_profile(1.0))
    wanted: dict[str, tuple[Sequence[Chunk], tuple[Colour, Colour, Colour, Colour]]] = {
        "gama_of_srgb": ([gama(0.45455)], STRIPES),
        "gama_linear": ([gama(1)], _LINEAR),
        "gama_0": ([gama(0)], STRIPES),
        "gama_linear_chrm": ([gama(1), chrm(*_RGB_CHRM)], _LINEAR),
        "gama_chrm": ([gama(0.45455), chrm(*_RGB_CHRM)], ((201, 52, 3), (3, 201, 52), (52, 3, 201), (250, 240, 13))),
        "chrm_alone": ([chrm(*_P3_CHRM)], STRIPES),
        "chrm_of_nothing": ([gama(1), chrm(*[0] * 8)], _LINEAR),
        "srgb_before_gama": ([srgb(), gama(1)], STRIPES),
        "srgb_behind_gama": ([gama(1), srgb(), chrm(*_P3_CHRM)], STRIPES),
        "iccp_linear": ([linear], _LINEAR),
        "iccp_over_srgb": ([srgb(), linear], _LINEAR),
        "iccp_over_gama": ([gama(0.1), linear], _LINEAR),
        "iccp_broken_gama": ([iccp(b"nonsense"), gama(1)], _LINEAR),
        "iccp_not_packed_gama": ([(b"iCCP", b"any\0\0nonsense"), gama(1)], _LINEAR),
        "iccp_called_srgb": ([iccp(gamma_profile(1.0, "sRGB-elle-V2-g10"))], _LINEAR),
        "iccp_srgb_called_other": ([iccp(srgb_profile("Line"))], STRIPES),
        "cicp_p3": ([cicp(12, 13)], _P3),
        "cicp_bt2020": ([cicp(9, 13)], _WIDE),
        "cicp_linear": ([cicp(1, 8)], _LINEAR),
        "cicp_srgb_over_all": ([srgb(), gama(1), linear, cicp(1, 13)], STRIPES),
        "cicp_p3_over_all": ([srgb(), gama(1), linear, cicp(12, 13)], _P3),
        "cicp_unspecified": ([cicp(2, 13)], STRIPES),
        "cicp_unspecified_gama": ([cicp(12, 2), gama(1)], _LINEAR),
        "cicp_gamma_2_8": ([cicp(1, 5)], ((189, 31, 0), (0, 189, 31), (31, 0, 189), (249, 237, 4))),
    }
    table = {
        f"png_{name}": Shown(png(striped(*STRIPES), RGB, 8, chunks), colours)
        for name, (chunks, colours) in wanted.items()
    }
    data = png(striped(*(tuple(v * 257 for v in c) for c in STRIPES)), RGB, 16, [gama(1)])
    table["png_rgb16_gama_linear"] = Shown(data, _LINEAR)
    plte = (b"PLTE", b"".join(map(bytes, STRIPES)))
    table["png_palette_gama_linear"] = Shown(png(striped(0, 1, 2, 3), PALETTE, 8, [gama(1), plte]), _LINEAR)
    table["png_palette_cicp_p3"] = Shown(png(striped(0, 1, 2, 3), PALETTE, 4, [cicp(12, 13), plte]), _P3)
    table["png_grey_gama_linear"] = Shown(png(striped(200, 10, 55, 250), GREY, 8, [gama(1)]), grey(229, 56, 128, 253))
    table["png_grey_cicp_linear"] = Shown(
        png(striped(200, 10, 55, 250), GREY, 8, [cicp(1, 8)]), grey(229, 56, 128, 253)
    )
    return table
