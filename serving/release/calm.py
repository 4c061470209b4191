"""That a release loads beside one that answers, and who asks does not notice.

Python runs one thread at a time. Whoever waits gets its turn after a switch interval, five milliseconds by default,
which a query would wait for a dozen times on its way between threads. And while the garbage collector looks through all
that lives, nobody runs: of that most are modules, which stay. Models load in processes of their own (serving/model).
"""

from __future__ import annotations

import gc
import sys
from functools import cache

from trainer import process

SWITCH_S = 0.0005


def set_up() -> None:
    """Have the threads of this process take turns more often; call it once, before it answers."""
    sys.setswitchinterval(SWITCH_S)


@cache
def prepare() -> None:
    """Have the garbage collector look no more at what is imported; once in a process.

    What releases are made of comes later, so that it is collected when they are closed.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Return the memory of what was closed, also of what refers to itself."""
    gc.collect()
    process.give_back()
