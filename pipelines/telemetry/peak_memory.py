"""The most memory that a piece of work held, as the kernel counted it."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # man 5 proc: set the peak resident set size to the current one


class PeakMemory:
    """Measures from its creation on: this process, and the largest of the children that ended since."""

    def __init__(self) -> None:
        self._children = _children()
        with suppress(OSError):  # a container may forbid it: then the peak is that of the whole process so far
            CLEAR.write_text(RESET_PEAK, encoding="ascii")

    def peak_bytes(self) -> int:
        """Return the peak so far; children count when they held more than any that ended before."""
        children = _children()
        return max(_own(), children if children > self._children else 0)


def _own() -> int:
    try:
        lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _children() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
