"""Waiting for what another process, thread or server does."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(ripe: Callable[[], object], within_s: float = 30, what: str = "it") -> None:
    """Wait until something is so; who asks a busy server does not keep it busy."""
    deadline = time.monotonic() + within_s
    while True:
        asked = time.monotonic()
        if ripe():
            return
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(max(0.05, 10 * (time.monotonic() - asked)))
