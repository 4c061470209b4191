"""Signals as a terminal sends them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ctrl_c_is_heard() -> Iterator[None]:
    """Have Ctrl-C end this process and those that are started meanwhile: a shell has its background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
