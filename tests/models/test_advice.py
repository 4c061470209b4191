import pytest

from pipelines.models.advice import weights_advice


@pytest.mark.parametrize(
    ("photos", "told", "advised"),
    [(49_999, None, True), (50_000, None, False), (12, "imagenet", False), (12, "mine.weights.h5", False)],
)
def test_weights_are_advised_below_fifty_thousand_photos_alone(photos: int, told: str | None, advised: bool) -> None:
    advice = weights_advice(photos, told)
    assert (advice is not None) == advised
    if advice is not None:
        assert advice.startswith("49,999 photos are few")
