import numpy as np
import pytest

from trainer.schedule import Phase, one_cycle, phase_at, rows_of_step, share_done, size_at


def test_rate_rises_to_the_peak_then_falls_to_nothing() -> None:
    # 15 % warm up; the cosine is at one half in the middle of the other 85 %
    assert one_cycle(0.0, 1.0) == pytest.approx(0.04)
    assert one_cycle(0.15, 1.0) == pytest.approx(1.0)
    assert one_cycle(0.575, 2.0) == pytest.approx(1.0)
    assert one_cycle(1.0, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_the_head_learns_first_and_each_phase_is_a_cycle_of_its_own() -> None:
    assert phase_at(0.0, 0.2) == phase_at(0.19, 0.2) == Phase(0.0, 0.2, frozen=True)
    assert phase_at(0.2, 0.2) == phase_at(1.0, 0.2) == Phase(0.2, 1.0, frozen=False)
    assert phase_at(0.1, 0.2).done(0.1) == 0.5
    assert phase_at(0.6, 0.2).done(0.6) == pytest.approx(0.5)


def test_without_a_share_for_the_head_all_learns_from_the_beginning() -> None:
    assert phase_at(0.0, 0.0) == Phase(0.0, 1.0, frozen=False)
    assert phase_at(0.3, 0.0).done(0.3) == 0.3


def test_steps_decide_where_they_are_given() -> None:
    assert share_done(3, 1e9, steps=12, minutes=1.0) == 0.25
    assert share_done(13, 0.0, steps=12, minutes=1.0) == 1.0


def test_minutes_decide_otherwise_but_some_steps_are_always_done() -> None:
    assert share_done(1000, 30.0, steps=None, minutes=2.0) == 0.25
    assert share_done(1000, 121.0, steps=None, minutes=2.0) == 1.0
    assert share_done(6, 121.0, steps=None, minutes=2.0) == 0.25  # of the least 24


def test_photos_grow_to_their_full_size() -> None:
    sizes = [size_at(share, 80, 60) for share in (0.0, 0.29, 0.3, 0.99, 1.0)]
    assert sizes == [(60, 45), (60, 45), (80, 60), (80, 60), (80, 60)]


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
