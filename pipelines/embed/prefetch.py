"""A bounded look-ahead: the next values are made in a thread while the caller uses the last one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator


class _End:
    """Marks the end of the values, and what stopped them if it was an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def prefetch[T](values: Iterable[T], depth: int) -> Iterator[T]:
    """Yield the values in order, at most `depth` of them made ahead. An error is raised where it belongs in the order.

    The thread stops soon after the caller does; at most one value is then made in vain.
    """
    ready: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
    stop = threading.Event()
    thread = threading.Thread(target=_fill, args=(values, ready, stop), name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            value = ready.get()
            if isinstance(value, _End):
                if value.error is not None:
                    raise value.error
                return
            yield value
    finally:
        stop.set()
        thread.join()


def _fill[T](values: Iterable[T], ready: queue.Queue[T | _End], stop: threading.Event) -> None:
    try:
        for value in values:
            if not _put(ready, value, stop):
                return
        _put(ready, _End(), stop)
    except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
        _put(ready, _End(error), stop)


def _put[T](ready: queue.Queue[T | _End], value: T | _End, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            ready.put(value, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False
