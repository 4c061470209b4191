"""How a process that computes is set up: an allocator that keeps its memory, TensorFlow's kernels and what it prints.

TensorFlow asks for its activations at every step and gives them back. By default glibc passes large blocks, and what
lies free at the end of a heap, on to the kernel, which clears each page when it is taken again: up to 600,000 page
faults a step, and two thirds of the time on a machine where faults are dear. So memory is kept until `give_back`. One
arena holds it, for each would keep a peak of its own. Imports no TensorFlow: it must come first.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

# The option of malloc.h and its value; for the trim threshold -1 is "never".
MALLOPT: Final = {
    "MALLOC_ARENA_MAX": (-8, 1),
    "MALLOC_MMAP_MAX_": (-4, 0),
    "MALLOC_TRIM_THRESHOLD_": (-1, -1),
    "MALLOC_TOP_PAD_": (-2, 1 << 28),
}
KERNELS: Final = "TF_ENABLE_ONEDNN_OPTS"
ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
        "MALLOC_TOP_PAD_": str(1 << 28),
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        KERNELS: "1",
    }
)
"""What a program that computes is to be started with.

glibc's variables are those of mallopt(3) and of "Memory Allocation Tunables" in its manual. oneDNN is TensorFlow's
own choice for processors with AVX-512 only; with AVX2 it trains 1.6 times as fast as Eigen too, and takes 5 to 24
times as long for a photo alone, though not for two (benchmarks/bench_one_photo.py).
"""


def set_up(*, one_by_one: bool = False) -> None:
    """Set up this process, and by its environment those that it starts; call it before threads and TensorFlow.

    What the environment says already stays as it is; so does a C library that is not glibc. A process that is asked
    about photos `one_by_one` computes with the kernels that TensorFlow chooses for the processor.
    """
    mallopt = _function("mallopt")
    for variable, option in MALLOPT.items():
        if variable not in os.environ:
            mallopt(*option)
    for variable, value in ENVIRONMENT.items():
        if not (one_by_one and variable == KERNELS):
            os.environ.setdefault(variable, value)
    os.environ["KERAS_BACKEND"] = ENVIRONMENT["KERAS_BACKEND"]  # nothing here runs on another


def untouched() -> dict[str, str]:
    """Return this process's environment without what `set_up` sets in it: for a program that is to run as it comes."""
    return {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}


def give_back() -> None:
    """Return memory that is kept but not in use to the kernel, between one piece of work and the next."""
    _function("malloc_trim")(ctypes.c_size_t(0))


def _function(name: str) -> Callable[..., Any]:
    """Return a function of glibc's allocator; where there is none, one that does nothing."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return getattr(library, name, lambda *_: 0)
