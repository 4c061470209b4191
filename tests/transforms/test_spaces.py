"""Colour spaces by numbers, as profiles."""

import io

import pytest
from PIL import Image, ImageCms

from transforms.colour import to_srgb_over_white
from transforms.photo import BadPhoto
from transforms.spaces import BT709, profile_of_codes, profile_of_gamma

D50_P3 = (0.3457, 0.3585, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def shown(colour: tuple[int, int, int], profile: bytes | None) -> tuple[int, ...]:
    return to_srgb_over_white(Image.new("RGB", (1, 1), colour), [profile] if profile else []).getpixel((0, 0))


@pytest.mark.parametrize("primaries", [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22])
@pytest.mark.parametrize("transfer", [1, 4, 5, 8, 13, 15])
def test_white_and_black_stay_in_every_space(primaries, transfer):
    profile = profile_of_codes(primaries, transfer)
    assert shown((255, 255, 255), profile) == pytest.approx((255, 255, 255), abs=1)
    assert shown((0, 0, 0), profile) == (0, 0, 0)


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 13), (1, 1), (2, 2), (1, 14), (3, 13), (200, 200)])
def test_srgb_and_what_is_unknown_need_no_profile(primaries, transfer):
    assert profile_of_codes(primaries, transfer) is None


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused(transfer, name):
    with pytest.raises(BadPhoto, match=rf"unsupported_format: high dynamic range \({name}\); export it for sRGB"):
        profile_of_codes(9, transfer)


def test_a_gamma_near_srgbs_means_srgb_without_chromaticities_alone():
    assert profile_of_gamma(0.45455, None) is None
    assert profile_of_gamma(0.44, None) is None
    assert profile_of_gamma(0.40, None) is not None
    # 3 of 255 to the power of 2.2 is .00006 of light, and 12.92 times that in sRGB; 255 * .00074 is .2.
    assert shown((3, 3, 3), profile_of_gamma(1 / 2.2, BT709)) == (0, 0, 0)


@pytest.mark.parametrize("gamma", [0.0, 0.001, 42949.67295])
def test_a_gamma_that_none_can_have_is_none(gamma):
    assert profile_of_gamma(gamma, None) is None


@pytest.mark.parametrize("xy", [(0,) * 8, (0.3127, 0.0, *BT709[2:]), (*BT709[:4], *BT709[2:4], *BT709[6:]), (9,) * 8])
def test_chromaticities_that_none_can_have_are_none(xy):
    assert profile_of_gamma(1.0, xy) == profile_of_gamma(1.0, None)


def test_another_white_is_adapted():
    assert shown((255, 255, 255), profile_of_gamma(1 / 2.2, D50_P3)) == pytest.approx((255, 255, 255), abs=1)


def test_profiles_are_profiles():
    profile = profile_of_codes(12, 13)
    assert profile is not None
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    assert (opened.xcolor_space.strip(), opened.version) == ("RGB", 2.4)
    # Display P3 in ICC's own words (SMPTE EG 432-1, adapted to D50).
    assert opened.red_colorant[0] == pytest.approx((0.5151, 0.2412, -0.0011), abs=0.001)
