"""TensorFlow's start, without what it writes to the terminal on every machine that has no GPU."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

START_UP = re.compile(rb"WARNING: All log messages before absl|[IWE]\d{4} \d\d:")


def import_tensorflow() -> Any:
    """Import TensorFlow and let it look for devices; return the module."""
    with start_up_messages_kept():
        tensorflow = importlib.import_module("tensorflow")
        tensorflow.config.list_physical_devices()
    return tensorflow


@contextmanager
def start_up_messages_kept() -> Iterator[None]:
    """Keep TensorFlow's start-up lines off stderr, and show them only if the block fails; other lines come after it.

    TensorFlow writes some lines below Python before its log level counts.
    """
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(terminal, 2)
            kept.seek(0)
            for line in kept:
                if failed or not START_UP.match(line):
                    os.write(terminal, line)
            os.close(terminal)
