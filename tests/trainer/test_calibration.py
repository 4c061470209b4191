"""Temperature and mass by hand, and what they promise on photos that they have not seen."""

import numpy as np
import pytest

from trainer.calibration import Calibration, calibrate, category_mass, fit_temperature, masked_log_softmax, mass_ahead

EVERY = np.ones(3, bool)


def drawn(count: int, leaves: int, seed: int, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `sharpness` times the log of the true probabilities, and leaves drawn by these."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(scale=2.5, size=(count, leaves))
    uniform = rng.gumbel(size=(count, leaves))
    return (sharpness * truth).astype(np.float32), np.argmax(truth + uniform, axis=1).astype(np.int32)


def test_what_was_not_learned_has_no_probability() -> None:
    learned = np.array([True, False, True])
    found = np.exp(masked_log_softmax(np.log([[3.0, 90.0, 1.0]]), learned, 1.0))
    assert found.tolist() == [[pytest.approx(0.75), 0.0, pytest.approx(0.25)]]


@pytest.mark.parametrize("sharpness", [0.5, 3.0])
def test_the_temperature_undoes_what_makes_a_model_too_sure_or_unsure(sharpness: float) -> None:
    logits, slots = drawn(4000, 20, seed=1, sharpness=sharpness)
    assert fit_temperature(logits, slots, np.ones(20, bool)) == pytest.approx(sharpness, rel=0.05)


def test_the_mass_ahead_by_hand() -> None:
    logits = np.log([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.25, 0.5, 0.25], [0.25, 0.5, 0.25]])
    ahead = mass_ahead(logits, np.array([0, 2, 0, 2]), EVERY, 1.0)
    assert ahead == pytest.approx([0.0, 0.8, 0.5, 0.75])  # of equal ones the first column is looked at first


def test_the_mass_is_an_order_statistic_that_is_high_enough() -> None:
    # Of 299 photos the largest is the first to cover 99 % with a confidence of 95 %: .99^299 = .0495.
    assert category_mass(np.arange(299) / 1000) == pytest.approx(0.298 + 1e-4)
    # Of 473 the second largest is: .99^473 + 473 x .01 x .99^472 = .0498.
    assert category_mass(np.arange(473) / 1000) == pytest.approx(0.471 + 1e-4)
    # 99 photos cover 99 % on average by their largest; fewer cannot tell.
    assert category_mass(np.arange(99) / 1000) == pytest.approx(0.098 + 1e-4)
    assert category_mass(np.arange(98) / 1000) == 1.0
    assert category_mass(np.array([0.99999] * 400)) == 1.0


@pytest.mark.parametrize("leaves", [12, 300])
def test_the_leaf_of_other_photos_is_inside_for_99_percent(leaves: int) -> None:
    learned = np.ones(leaves, bool)
    found = calibrate(*drawn(2000, leaves, seed=2, sharpness=0.3), learned)
    logits, slots = drawn(5000, leaves, seed=3, sharpness=0.3)
    inside = mass_ahead(logits, slots, learned, found.temperature) < found.category_mass
    noise = 3 * np.sqrt(0.99 * 0.01 / len(inside))
    assert 0.99 - noise <= inside.mean() < 0.9999  # and not by taking all
    assert found.photos == 2000


def test_leaves_that_were_not_learned_are_always_inside() -> None:
    logits, slots = drawn(2000, 20, seed=2, sharpness=0.3)
    learned = np.arange(20) < 10
    both = calibrate(logits, slots, learned)
    assert both.photos == (slots < 10).sum()
    alone = calibrate(logits[slots < 10], slots[slots < 10], learned)
    assert both.temperature == alone.temperature
    assert both.category_mass < alone.category_mass  # half of the queries are right whatever is scanned
    logits, slots = drawn(20_000, 20, seed=3, sharpness=0.3)
    mine = slots < 10
    inside = mass_ahead(logits[mine], slots[mine], learned, both.temperature) < both.category_mass
    covered = (inside.sum() + (~mine).sum()) / len(slots)
    assert 0.99 - 3 * np.sqrt(0.99 * 0.01 / len(slots)) <= covered < 0.9999


def test_photos_of_unknown_leaves_say_nothing() -> None:
    logits = np.zeros((3, 3), np.float32)
    found = calibrate(logits, np.array([-1, 1, -1]), np.array([True, False, True]))
    assert (found.temperature, found.category_mass, found.photos) == (1.0, 1.0, 0)


def test_the_log_tells_a_calibration_in_words() -> None:
    assert str(Calibration(0.2512, 0.9, 3)) == (
        "probabilities are calibrated by 3 held-out photos (temperature 0.25; the best leaves with 0.900 of them hold "
        "the right one)"
    )
    none = Calibration(1.0, 1.0, 0)
    assert str(none) == "no held-out photo is of a learned leaf, so the probabilities are as they come"
