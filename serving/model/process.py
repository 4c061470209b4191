"""A model in a process of its own, as whoever asks it sees it.

Loading a model is mostly Python, of which a process runs one thread at a time: beside queries it would hold them up.
And what a model keeps is given back by the end of its process. All are forked from a server that has TensorFlow
imported (multiprocessing's `forkserver`), so that one begins in a moment and shares what it imports with the others.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import forkserver, util
from pathlib import Path
from typing import Any

import numpy.typing as npt

from pipelines.telemetry import logs
from serving.model import child
from serving.model.child import ENDED

FORKS = multiprocessing.get_context("forkserver")
ATTEMPTS = 3
"""How often a batch is asked before it is what ends the process: the kernel may kill one, and the next as it loads."""
OUT_OF_MEMORY = frozenset({"MemoryError", "ResourceExhaustedError"})
"""Errors of Python and of TensorFlow."""
LONGEST_FOLDER = 107 - len("/pymp-xxxxxxxx/listener-xxxxxxxx")
"""How long the name of the folder for temporary files may be: the kernel bounds a socket's path (unix(7))."""


class ModelError(Exception):
    """What a model's process says of an error, or that it has ended."""


class EndedError(ModelError):
    """That a model's process has ended."""


def prepare() -> None:
    """Begin to import what processes of models need, in another process; returns at once. Raises ModelError."""
    FORKS.set_forkserver_preload(["serving.model.preload"])
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST_FOLDER:
        raise ModelError(
            f"{tempfile.gettempdir()} is too long a name for a socket in it (of {LONGEST_FOLDER} bytes at most); "
            "set TMPDIR to another folder"
        )
    forkserver.ensure_running()


def clean_up() -> None:
    """Remove the folder by which forks are asked for, in a process that ends without what Python does at its end."""
    shutil.rmtree(util.get_temp_dir(), ignore_errors=True)


class ModelProcess:
    """One signature of a SavedModel in a folder, which must stay until it is closed. Safe to share between threads."""

    def __init__(self, folder: Path, name: str, first: Sequence[bytes]) -> None:
        """Load it, and have it answer `first`, a batch of the size to come. Raises ModelError, or MemoryError."""
        self._given = folder, name, first
        self._lock = threading.Lock()
        self._begin()

    def __call__(self, values: Sequence[bytes]) -> dict[str, npt.NDArray[Any]]:
        """Return every output of one forward pass, by its name.

        Where its process ends, another one is begun and asked. Raises ModelError for what the model fails on, or what
        it ends on again and again.
        """
        with self._lock:
            for _ in range(ATTEMPTS):
                try:
                    if self._connection.closed:
                        self._begin()
                    self._connection.send(values)
                    return self._received()
                except EndedError as error:
                    logs.warn(f"the model's process could not be begun ({error}); it is tried again")
                except ENDED:
                    logs.warn(f"the model's process has ended ({self._why_ended()}); another one is begun")
        raise EndedError("its process ends on this again and again")

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    def close(self) -> None:
        """End the process; it is asked no more."""
        atexit.unregister(self._connection.close)
        self._connection.close()

    def _begin(self) -> None:
        prepare()
        self._connection, theirs = FORKS.Pipe()
        self._process = FORKS.Process(target=child.run, args=(theirs, *self._given), daemon=True)
        self._process.start()
        theirs.close()
        atexit.register(self._connection.close)  # before multiprocessing waits for the process
        try:
            self._received()
        except ENDED as error:
            raise EndedError(f"its process has ended while it loaded ({self._why_ended()})") from error
        except (ModelError, MemoryError):
            self.close()
            raise

    def _received(self) -> dict[str, npt.NDArray[Any]]:
        outputs, error = self._connection.recv()
        if error is not None and error.partition(":")[0] in OUT_OF_MEMORY:
            raise MemoryError(error)
        if error is not None:
            raise ModelError(error)
        return dict(outputs)

    def _why_ended(self) -> str:
        self.close()
        self._process.join()
        code = self._process.exitcode or 0
        with suppress(ValueError):
            return signal.Signals(-code).name
        return f"exit {code}"
