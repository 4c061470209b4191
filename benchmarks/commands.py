"""Commands of the pipeline as they run, each a process of its own, and what the kernel counted of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND_LINE = "from pipelines.cli import main; main()"
PLAIN = """
from trainer import process
process.MALLOPT = {}
process.ENVIRONMENT = {name: value for name, value in process.ENVIRONMENT.items() if "MALLOC" not in name.upper()}
"""
"""Before the command line is imported: leaves the allocator as it is, here and in children."""


@dataclass(frozen=True)
class Usage:
    """What a command and its children took: page faults, processor's and wall seconds, bytes of the largest process."""

    faults: int
    cpu_s: float
    wall_s: float
    peak_bytes: int


def run(
    arguments: Sequence[str], log: Path, *, plain: bool = False, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run `visual-search` with arguments, its output going to `log`; return its usage.

    `plain` leaves the C library's allocator alone; `environment` is added to this process's, without what was set up in
    it. Raises CalledProcessError when the command fails.
    """
    command = [sys.executable, "-c", f"{PLAIN if plain else ''}{COMMAND_LINE}", *arguments]
    started = time.perf_counter()
    with log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=_inherited() | dict(environment or {}))
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, log.read_text(encoding="utf-8")[-2000:])
    wall, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    return Usage(usage.ru_minflt, cpu, wall, usage.ru_maxrss * 1024)


def _inherited() -> dict[str, str]:
    from trainer.process import ENVIRONMENT

    return {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
