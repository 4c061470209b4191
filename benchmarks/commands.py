"""Commands of the pipeline as they run, each a process of its own, and what the kernel counted of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainer.process import untouched

COMMAND_LINE = "from pipelines.cli import main; main()"
PLAIN = """
from trainer import process
process.MALLOPT = {}
process.ENVIRONMENT = {name: value for name, value in process.ENVIRONMENT.items() if "MALLOC" not in name.upper()}
"""
"""Before the command line is imported: leaves the allocator as it is, here and in children."""
REPORT = re.compile(r"train: (\d+)%, step (\d+), .*images_a_second ([\d.]+)")


@dataclass(frozen=True)
class Usage:
    """What a command and its children took: page faults, processor's and wall seconds, bytes of the largest process."""

    faults: int
    cpu_s: float
    wall_s: float
    peak_bytes: int


class Line(NamedTuple):
    """A line that a program has said, and the seconds since its start."""

    second: float
    text: str


class Report(NamedTuple):
    """A report of a training: when it came, how far the training was, and how fast since the report before."""

    second: float
    percent: int
    step: int
    photos_a_second: float


def command(arguments: Sequence[str], before: str = "") -> list[str]:
    """Return the words that run `visual-search` with arguments in a process of its own; `before` is code."""
    return [sys.executable, "-c", f"{before}{COMMAND_LINE}", *arguments]


def run(
    arguments: Sequence[str], log: Path, *, plain: bool = False, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run `visual-search` with arguments, its output going to `log`; return its usage.

    `plain` leaves the C library's allocator alone; `environment` is added to this process's, without what was set up in
    it. Raises CalledProcessError when the command fails.
    """
    words = command(arguments, PLAIN if plain else "")
    started = time.perf_counter()
    with log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file, env=untouched() | dict(environment or {}))
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words, log.read_text(encoding="utf-8")[-2000:])
    wall, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    return Usage(usage.ru_minflt, cpu, wall, usage.ru_maxrss * 1024)


def stamped(words: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> Iterator[Line]:
    """Run a program in a folder; yield each line that it says, when it comes. Raises CalledProcessError at its end."""
    started = time.perf_counter()
    with subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield Line(time.perf_counter() - started, line.rstrip())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(words))


def reports_of(lines: Iterable[Line]) -> list[Report]:
    """Return the reports of a training among lines."""
    found = [(line.second, REPORT.match(line.text)) for line in lines]
    return [Report(second, int(one[1]), int(one[2]), float(one[3])) for second, one in found if one]
