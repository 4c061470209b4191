import numpy as np
import pytest

from trainer.schedule import one_cycle, rows_of_step, size_of_step, steps_for


def test_rate_rises_to_the_peak_then_falls_to_nothing() -> None:
    # 15 % of 100 steps warm up; the cosine is at one half in the middle of the other 85
    assert one_cycle(0, 100, 1.0) == pytest.approx(0.04)
    assert one_cycle(15, 100, 1.0) == pytest.approx(1.0)
    assert one_cycle(15 + 85 // 2, 100, 1.0) == pytest.approx(0.5, abs=0.01)
    assert one_cycle(100, 100, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_one_step_has_a_rate() -> None:
    assert one_cycle(0, 1, 2.0) == pytest.approx(0.08)


def test_a_budget_holds_what_fits_after_what_is_spent() -> None:
    # 2 minutes less 20 s at half a second a full step; one in the mean costs .4 x .36 + .35 x .64 + .25 = .618 of it
    assert steps_for(2.0, 0.5, 20.0, 10) == int(100 / 0.309) == 323
    assert steps_for(0.1, 1.0, 30.0, 24) == 24


def test_photos_grow_to_their_full_size() -> None:
    sizes = [size_of_step(step, 100, 80, 60) for step in (0, 39, 40, 74, 75, 99, 100)]
    assert sizes == [(48, 36), (48, 36), (64, 48), (64, 48), (80, 60), (80, 60), (80, 60)]


def test_an_epoch_shows_every_photo_once_and_the_next_in_another_order() -> None:
    first = np.concatenate([rows_of_step(step, 12, 4, seed=3) for step in range(3)])
    second = np.concatenate([rows_of_step(step, 12, 4, seed=3) for step in range(3, 6)])
    assert sorted(first) == list(range(12)) == sorted(second)
    assert list(first) != list(second)


def test_rows_depend_on_seed_and_step_alone() -> None:
    wanted = rows_of_step(7, 40, 8, seed=1).tolist()
    rows_of_step(2, 17, 4, seed=9)
    assert rows_of_step(7, 40, 8, seed=1).tolist() == wanted
    assert rows_of_step(7, 40, 8, seed=2).tolist() != wanted


def test_a_batch_larger_than_the_data_is_the_data() -> None:
    assert sorted(rows_of_step(5, 3, 128, seed=1)) == [0, 1, 2]
