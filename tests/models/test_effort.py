"""Whether a model was trained for long enough to have learned anything."""

from __future__ import annotations

import pytest

from pipelines.models.effort import short_training


def facts(photos: int, steps: int, seen: int, seconds: float) -> dict[str, dict[str, float]]:
    return {
        "metrics": {"train.photos": photos, "train.steps": steps, "train.seen": seen, "train.seconds": seconds},
        "lineage": {},
    }


def test_a_training_that_saw_less_than_each_photo_says_what_would_see_it_ten_times() -> None:
    # 24 steps of 128 are 3,072 of 6,144 photos, half of each, in 240 s: ten of each take twenty times as long
    assert short_training(facts(6144, 24, 3072, 240.0)) == (
        "the model has learned for only 24 steps, 3,072 photos seen, less than once each: raise train.minutes (80 "
        "minutes would see each photo 10 times at this machine's speed), or train.steps (480) where these are set"
    )
    assert ", each 2.0 times: raise train.minutes (20 minutes" in short_training(facts(1536, 24, 3072, 240.0))


@pytest.mark.parametrize(
    "told",
    [
        facts(1000, 24, 3072, 240.0),
        facts(6144, 24, 3072, 240.0) | {"lineage": {"parent": "m1"}},
        {"metrics": {}, "lineage": {}},
        {"metrics": {}},
    ],
    ids=["three times each", "of another model", "older", "imported"],
)
def test_others_say_nothing(told: dict[str, dict[str, float]]) -> None:
    assert short_training(told) == ""
