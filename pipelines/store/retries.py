"""Asking again: a call that fails of what may pass, and a question that has no answer yet.

A call is made again by Google's client library, as that library makes its own, with pauses that grow. It is imported
when a call is made, since few commands make one.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable


def retried[T](
    call: Callable[[], T],
    passes: Callable[[Exception], bool],
    *,
    within_s: float | None = None,
    times: int | None = None,
    pause_s: float = 1.0,
    longest_pause_s: float = 10.0,
) -> T:
    """Return what a call returns, which is made again while its error may pass, up to so many seconds or calls.

    Raises the call's last error, as it was.
    """
    from google.api_core.retry import exponential_sleep_generator, retry_target

    calls = itertools.count(1)

    def again(error: Exception) -> bool:
        return passes(error) and (times is None or next(calls) < times)

    result: T = retry_target(
        call,
        again,
        exponential_sleep_generator(pause_s, longest_pause_s),
        timeout=within_s,
        exception_factory=lambda errors, _reason, _timeout: (errors[-1], None),
    )
    return result


def polled[T](ask: Callable[[], T | None], every_s: float, within_s: float | None = None) -> T | None:
    """Return the first answer that is not None, asked for again and again; None when there is none in that time."""
    until = None if within_s is None else time.monotonic() + within_s
    while (answer := ask()) is None:
        if until is not None and time.monotonic() >= until:
            return None
        time.sleep(every_s)
    return answer
