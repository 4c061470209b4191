"""What passes is asked again, for so long or so often, and what remains is raised as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.store import retries
from pipelines.store.retries import polled, retried


class PassesError(Exception):
    """Of the moment."""


def passes(error: Exception) -> bool:
    return isinstance(error, PassesError)


def failing(*errors: Exception) -> Callable[[], str]:
    """Return a call that raises these, one a time, and then answers; raising the last of none left is a defect."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "an answer"

    return call


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it paused, while the clock stands still but for these pauses."""
    found: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", found.append)
    monkeypatch.setattr(retries.time, "monotonic", lambda: sum(found))
    return found


def test_what_passes_is_called_again_with_pauses_that_grow_to_a_limit(pauses: list[float]) -> None:
    assert retried(failing(*[PassesError()] * 40), passes, pause_s=1, longest_pause_s=8) == "an answer"
    assert len(pauses) == 40
    assert pauses[0] <= 1
    assert max(pauses[8:]) > 2
    assert max(pauses) <= 8


def test_the_last_error_is_raised_as_it_was_when_the_time_is_up(pauses: list[float]) -> None:
    errors = [PassesError(n) for n in range(1000)]
    with pytest.raises(PassesError) as caught:
        retried(failing(*errors), passes, within_s=30, pause_s=1, longest_pause_s=4)
    assert caught.value is errors[len(pauses)]
    assert 26 <= sum(pauses) <= 30


def test_or_when_it_was_called_so_often(pauses: list[float]) -> None:
    errors = [PassesError(n) for n in range(9)]
    with pytest.raises(PassesError) as caught:
        retried(failing(*errors), passes, times=3)
    assert caught.value is errors[2]
    assert len(pauses) == 2


def test_what_does_not_pass_is_raised_at_once(pauses: list[float]) -> None:
    with pytest.raises(ValueError, match="for good"):
        retried(failing(PassesError(), ValueError("for good"), PassesError()), passes, within_s=60)
    assert len(pauses) == 1


def test_a_question_is_asked_until_it_has_an_answer(pauses: list[float]) -> None:
    answers = iter([None, None, 0])
    assert polled(lambda: next(answers), every_s=5) == 0
    assert pauses == [5, 5]


def test_or_until_the_time_is_up(pauses: list[float]) -> None:
    assert polled(lambda: None, every_s=5, within_s=12) is None
    assert sum(pauses) == 15
