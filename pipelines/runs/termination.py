"""What SIGTERM does: it ends a command as Ctrl-C does, or leaves jobs on a cluster to the attempt that follows."""

from __future__ import annotations

import signal
import threading
from types import FrameType

CANCEL, LEAVE = "cancel", "leave"
CHOICES = (CANCEL, LEAVE)
EXIT_TERMINATED = 128 + signal.SIGTERM


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came, and all that was started is to end: whoever hears Ctrl-C hears this."""


class LeavingError(BaseException):
    """SIGTERM came, and another attempt is to attach to what runs on a cluster; what is held here is given back."""


def listen(on_sigterm: str) -> None:
    """Have SIGTERM raise one of these in the main thread, once: `on_sigterm` is one of CHOICES."""

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever sends it twice would interrupt the end itself
        if on_sigterm == LEAVE:
            raise LeavingError("ended by SIGTERM; jobs on a cluster go on, and the next attempt attaches to them")
        raise TerminatedError("ended by SIGTERM; what was committed stays done")

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
