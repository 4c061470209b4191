import threading
import time
from collections.abc import Iterator

import pytest

from pipelines.embed.prefetch import prefetch


def test_values_come_in_order() -> None:
    assert list(prefetch(range(100), 2)) == list(range(100))
    assert list(prefetch([], 2)) == []


def test_an_error_comes_after_the_values_before_it() -> None:
    def values() -> Iterator[int]:
        yield 1
        raise KeyError("the second")

    seen = prefetch(values(), 4)
    assert next(seen) == 1
    with pytest.raises(KeyError, match="the second"):
        next(seen)


def test_the_look_ahead_is_bounded_and_its_thread_ends_with_the_caller() -> None:
    made: list[int] = []

    def values() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    before = threading.active_count()
    seen = prefetch(values(), 2)
    assert next(seen) == 0
    deadline = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(made) == 4  # one used, two ready, one waiting to be put
    seen.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
