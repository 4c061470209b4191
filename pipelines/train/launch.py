"""Runs the TFX pipeline in a process of its own: TFX's memory, logs and signal handlers end with it.

The child says what it does in lines on stderr that begin with "train:"; everything else goes to `tfx.log` in the work
folder. Ctrl-C ends the child by SIGTERM, so that it cancels what it started elsewhere; whatever else ends it kills it.
This module is light: the launcher's side imports neither TensorFlow nor TFX.
"""

from __future__ import annotations

import ctypes
import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

from pipelines.errors import StageError
from trainer.config import TrainOutcome, TrainSpec
from trainer.process import ENVIRONMENT

MARK: Final = "train:"
MODULE: Final = "pipelines.train.tfx_pipeline"
VERTEX_MODULE: Final = "pipelines.train.vertex_pipeline"
LOG, SPEC, OUTCOME = "tfx.log", "spec.json", "outcome.json"
LAST_LINES: Final = 15
ENDING_S: Final = 60.0
"""How long a child has for its end, before it is killed."""
PR_SET_PDEATHSIG: Final = 1


def run_in_subprocess(spec: TrainSpec, progress: Callable[[str], None], module: str = MODULE) -> TrainOutcome:
    """Run MODULE or VERTEX_MODULE on `spec`; `progress` hears its lines, without their mark.

    The child dies with this process, and with the thread that called. Raises StageError with the failed node's error,
    or with the log's last lines when the child died without a word.
    """
    work = Path(spec.work)
    work.mkdir(parents=True, exist_ok=True)
    (work / OUTCOME).unlink(missing_ok=True)
    spec.save(work / SPEC)
    command = [sys.executable, "-m", module, str(work / SPEC), str(work / OUTCOME), str(os.getpid())]
    status, stray = _follow(command, progress)
    if not (work / OUTCOME).is_file():
        raise StageError(_death(status, stray, work / LOG))
    outcome: dict[str, Any] = json.loads((work / OUTCOME).read_text(encoding="utf-8"))
    if "error" in outcome:
        raise StageError(f"{outcome['error']}\nthe log's last lines, of {work / LOG}:\n{_last_lines(work / LOG)}")
    return TrainOutcome(**outcome)


def _follow(command: Sequence[str], progress: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run a command to its end; return its status and the last lines of stderr that were no progress."""
    stray: deque[str] = deque(maxlen=LAST_LINES)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(),
        encoding="utf-8",
        errors="replace",
    )
    try:
        stray.extend(_strays(process, progress))
        return process.wait(), list(stray)
    except KeyboardInterrupt:
        _end(process, progress)
        raise
    finally:  # Ctrl-C, or a callback that raised: nothing may go on behind our back
        if process.poll() is None:
            process.kill()
            process.wait()


def _strays(process: subprocess.Popen[str], progress: Callable[[str], None]) -> Iterator[str]:
    """Yield the lines that are no progress, until the child closes its stderr."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(MARK):
            progress(line.removeprefix(MARK).strip())
        else:
            yield line.rstrip()


def _end(process: subprocess.Popen[str], progress: Callable[[str], None]) -> None:
    """Have the child end in order, and say meanwhile what it says."""
    process.terminate()
    limit = threading.Timer(ENDING_S, process.kill)
    limit.start()
    try:
        deque(_strays(process, progress), maxlen=0)
        if process.wait() == -signal.SIGKILL:
            progress(f"the training did not end within {ENDING_S:.0f} s, and was killed; look for what it started")
    finally:
        limit.cancel()


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    steady = {**ENVIRONMENT, "PYTHONWARNINGS": "ignore"}
    return {**steady, **os.environ, "PYTHONPATH": path, "KERAS_BACKEND": "tensorflow", "PYTHONUNBUFFERED": "1"}


def _death(status: int, stray: Sequence[str], log: Path) -> str:
    how = f"exit code {status}" if status >= 0 else f"signal {-status} ({signal.Signals(-status).name})"
    hint = "; SIGKILL is often a lack of memory: lower train.memory_bytes or train.batch" if status == -9 else ""
    text = _last_lines(log) or "\n".join(stray)
    return f"the training process died with {how}{hint}\nthe log's last lines, of {log}:\n{text}"


def _last_lines(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 20_000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(line[:500] for line in lines[-LAST_LINES:])


def child_main(arguments: Sequence[str], run: Callable[[TrainSpec, Callable[[str], None]], TrainOutcome]) -> int:
    """Run `SPEC.json OUTCOME.json [PARENT_PID]` in the child: write the outcome or {"error": …}; return the status."""
    if len(arguments) not in {2, 3}:
        sys.stderr.write("usage: SPEC.json OUTCOME.json [PARENT_PID]\n")
        return 2
    if len(arguments) == 3:
        _die_with(int(arguments[2]))
    spec = TrainSpec.load(Path(arguments[0]))
    Path(spec.work).mkdir(parents=True, exist_ok=True)
    say = _silence(Path(spec.work, LOG))
    try:
        outcome, code = asdict(run(spec, say)), 0
    except StageError as error:
        outcome, code = {"error": str(error)}, 1
        say(f"failed: {error}")
    except Exception as error:  # the parent gets a sentence, the log the traceback
        logging.exception("training failed")
        outcome, code = {"error": f"training failed: {type(error).__name__}: {error}"}, 1
        say(f"failed: {error}")
    part = Path(f"{arguments[1]}.part")
    part.write_text(json.dumps(outcome, indent=1), encoding="utf-8")
    part.replace(arguments[1])
    return code


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies; leave at once if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _silence(log: Path) -> Callable[[str], None]:
    """Send stdout, stderr and all logging to a file, but for marked lines; return how to say one."""
    terminal = os.fdopen(os.dup(2), "w", encoding="utf-8", buffering=1)
    file = log.open("a", encoding="utf-8", buffering=1)
    for descriptor in (1, 2):  # what C++ writes
        os.dup2(file.fileno(), descriptor)
    sys.stdout, sys.stderr = file, _Router(terminal, file)
    logging.basicConfig(
        stream=file, level=logging.INFO, force=True, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return _say


def _say(text: str) -> None:
    sys.stderr.write(f"{MARK} {' '.join(text.splitlines())}\n")
    sys.stderr.flush()


class _Router(io.TextIOBase):
    """A stderr whose marked lines reach the terminal, and whose every line reaches the log."""

    def __init__(self, terminal: IO[str], log: IO[str]) -> None:
        self.terminal, self.log, self.rest = terminal, log, ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the log's descriptor."""
        return self.log.fileno()

    def write(self, text: str) -> int:
        """Write to the log, and whole marked lines to the terminal too."""
        self.log.write(text)
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            if line.startswith(MARK):
                self.terminal.write(f"{line}\n")
                self.terminal.flush()
        return len(text)

    def flush(self) -> None:
        """Flush both."""
        self.log.flush()
        self.terminal.flush()
