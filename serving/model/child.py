"""The side of the process that has a model: loads it, and gives its outputs for each batch until nobody asks."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipelines.models.signature import Signature
from pipelines.models.tensorflow import import_tensorflow

ENDED = (EOFError, OSError)
"""What a connection raises whose other side is gone."""
NICE = 10
"""How far a thread that loads stands behind those that answer."""


def run(connection: Connection, folder: Path, name: str, first: Sequence[bytes]) -> None:
    """Load the signature `name` of a SavedModel, then answer each batch; send what it gives, or says of an error.

    It has answered `first` when it says that it is loaded: what TensorFlow builds at the first batch is built by then.
    Ends when the other side is closed, also by its end. What is sent is a pair: outputs by their names, and None, or
    None and the error's words; the first pair tells that the model is loaded.
    """
    for each in (signal.SIGINT, signal.SIGTERM):  # sent to all of a group: queries on their way are answered
        signal.signal(each, signal.SIG_IGN)
    try:
        signature = _loaded(folder, name, first)
    except Exception as error:  # noqa: BLE001 - libraries raise what they like; it is told on the other side
        connection.send((None, _words(error)))
        return
    connection.send(({}, None))
    with suppress(*ENDED):
        while True:
            connection.send(_answered(signature, connection.recv()))


def behind_queries[T](load: Callable[[], T]) -> T:
    """Return what `load` does, from a thread of its own that gets a processor after those that answer."""
    with ThreadPoolExecutor(1, "loading", initializer=_stand_back) as thread:
        return thread.submit(load).result()


def _loaded(folder: Path, name: str, first: Sequence[bytes]) -> Signature:
    tensorflow = import_tensorflow()
    for gpu in tensorflow.config.list_physical_devices("GPU"):
        tensorflow.config.experimental.set_memory_growth(gpu, True)  # another release's model is on it too
    tensorflow.constant(0)  # its threads are begun here, for a thread stands where the one does that began it

    def load() -> Signature:
        signature = Signature(folder, name)
        for batch in (first, first[:1]):
            signature(batch)
        return signature

    return behind_queries(load)


def _answered(signature: Signature, batch: Sequence[bytes]) -> tuple[dict[str, Any] | None, str | None]:
    try:
        return signature(batch), None
    except Exception as error:  # noqa: BLE001 - as above
        return None, _words(error)


def _stand_back() -> None:
    if sys.platform == "linux":  # elsewhere the whole process would
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
