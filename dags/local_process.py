"""The command runs beside Airflow's worker, as a process of the same machine: `visual_search_launcher` is `local`.

It has the worker's environment variables. A task that is killed ends the command and all that it started, its jobs on a
cluster too: with SIGTERM, and with SIGKILL what is left half a minute later. A worker that dies leaves nobody who reads
what the command says; the next attempt goes on where that one stopped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Sequence

from transcript import Transcript

KILL_AFTER_S = 30


class LocalProcess:
    """A command as a local process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, command: Sequence[str], transcript: Transcript) -> int:
        """Run a command to its end; return its exit code."""
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that all that it starts can be ended with it
            env={**os.environ, "VISUAL_SEARCH_LOG_FORMAT": "json"},
        ) as process:
            self._process = process
            reader = threading.Thread(target=_take_all, args=(process.stderr or (), transcript))
            reader.start()
            _take_all(process.stdout or (), transcript)
            reader.join()
        return process.returncode

    def kill(self) -> None:
        """End the command and its workers: politely first."""
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)


def _take_all(lines: Iterable[str], transcript: Transcript) -> None:
    for line in lines:
        transcript.take(line)
