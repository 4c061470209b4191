"""That a release loads beside one that answers, and who asks does not notice.

Python runs one thread at a time, and loading a model is mostly Python. Whoever waits gets its turn after a switch
interval, five milliseconds by default, which a query would wait for a dozen times on its way between threads. And while
the garbage collector looks through all that lives, nobody runs: of that most are TensorFlow's modules, which stay.
"""

from __future__ import annotations

import gc
import sys
from functools import cache

from pipelines.models.tensorflow import import_tensorflow
from trainer import process

SWITCH_S = 0.0005


def set_up() -> None:
    """Have the threads of this process take turns more often; call it once, before it answers."""
    sys.setswitchinterval(SWITCH_S)


@cache
def prepare() -> None:
    """Import what every release needs, and have the garbage collector look at it no more; once in a process.

    What releases are made of comes later, so that it is collected when they are closed.
    """
    import_tensorflow()
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Return the memory of what was closed: TensorFlow's functions refer to themselves."""
    gc.collect()
    process.give_back()
