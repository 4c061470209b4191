"""The words of photo preparation: names, limits and errors."""

import pickle

import pytest

from transforms.photo import CODES, BadPhoto, Limits, PrepSpec


def test_a_prep_id_names_everything_that_decides_about_pixels():
    assert PrepSpec(224, 160, 92, version=3).prep_id == "224x160-q92-v3"
    assert PrepSpec.from_prep_id("224x160-q92-v3") == PrepSpec(height=224, width=160, quality=92, version=3)


@pytest.mark.parametrize("prep_id", ["", "224x160", "224x160-q92-v3 ", "ax160-q92-v3"])
def test_what_is_no_prep_id_is_refused(prep_id):
    with pytest.raises(ValueError, match="is not <height>x<width>-q<quality>-v<version>"):
        PrepSpec.from_prep_id(prep_id)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((7, 224), "height=7: prepared photos have 8 to 4096 pixels a side"),
        ((224, 4097), "width=4097"),
        ((224, 224, 91), "quality=91: use 92 to 100"),
        ((224, 224, 101), "quality=101"),
        ((224, 224, 95, 0), "version=0: versions start at 1"),
    ],
)
def test_impossible_specs_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PrepSpec(*arguments)


@pytest.mark.parametrize("name", ["max_bytes", "max_pixels", "min_side"])
def test_limits_are_positive(name):
    with pytest.raises(ValueError, match=f"{name}=0: limits are positive"):
        Limits(**{name: 0})


@pytest.mark.parametrize("code", CODES)
def test_a_bad_photo_says_why_and_travels_between_processes(code):
    copy = pickle.loads(pickle.dumps(BadPhoto(code, "3 of 7 bytes")))
    assert (copy.code, copy.detail, str(copy)) == (code, "3 of 7 bytes", f"{code}: 3 of 7 bytes")


def test_reject_codes_cannot_be_invented_on_the_way():
    with pytest.raises(ValueError, match="unknown reject code 'ugly': use one of empty, not_an_image"):
        BadPhoto("ugly", "a matter of taste")
