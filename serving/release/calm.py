"""That a release loads beside one that answers, and who asks does not notice.

Python runs one thread at a time, and loading a model is mostly Python. Whoever waits gets its turn after a switch
interval, five milliseconds by default, which a query would wait for a dozen times on its way between threads. And while
the garbage collector looks through all that lives, nobody runs: of that most are TensorFlow's modules, which stay.
Where queries want every core, a model loads in what they leave.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pipelines.models.tensorflow import import_tensorflow
from trainer import process

SWITCH_S = 0.0005
NICE = 10
"""How far a thread that loads stands behind those that answer: at 19 it holds Python's lock for long while it waits."""


def set_up() -> None:
    """Have the threads of this process take turns more often; call it once, before it answers."""
    sys.setswitchinterval(SWITCH_S)


@cache
def prepare() -> None:
    """Import what every release needs, and have the garbage collector look at it no more; once in a process.

    What releases are made of comes later, so that it is collected when they are closed.
    """
    tensorflow = import_tensorflow()
    tensorflow.constant(0)  # its threads are begun here, for a thread stands where the one does that began it
    gc.collect()
    gc.freeze()


def behind_queries[T](load: Callable[[], T]) -> T:
    """Return what `load` does, from a thread of its own that gets a processor after those that answer."""
    with ThreadPoolExecutor(1, "loading", initializer=_stand_back) as thread:
        return thread.submit(load).result()


def _stand_back() -> None:
    if sys.platform == "linux":  # elsewhere the whole process would
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def give_back() -> None:
    """Return the memory of what was closed: TensorFlow's functions refer to themselves."""
    gc.collect()
    process.give_back()
