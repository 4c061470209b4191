"""Progress on stderr: bars on a terminal, one line a task elsewhere; nothing is ever written to stdout."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.telemetry import logs


class Progress:
    """Reports what a stage is doing; `quiet` silences it."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._said: set[str] = set()
        self.bars = not quiet and not logs.is_json() and sys.stderr.isatty()

    def say(self, text: str, **fields: Any) -> None:
        """Write one line; `fields` stand in it where lines are JSON."""
        self._said.add(text)
        if not self.quiet:
            logs.say(text, **fields)

    def warn(self, text: str) -> None:
        """Write one line that even who wants no progress must see."""
        self._said.add(text)
        logs.warn(text)

    def remind(self, text: str) -> None:
        """Write one line unless it was said before: what a manifest notes, its stage may have said when it began."""
        if text not in self._said:
            self.say(text)

    @contextmanager
    def watch(self, text: str, total: int, done: Callable[[], int], every_s: float = 1.0) -> Iterator[None]:
        """Show `done()` of `total` while the block runs; `done` is polled, so it works for work done elsewhere."""
        started = time.monotonic()
        if not self.bars or total == 0:
            yield
            if total:
                seconds = round(time.monotonic() - started, 1)
                self.say(f"{text}: {total} in {seconds} s", total=total, seconds=seconds)
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        stop = threading.Event()
        with Bars(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(text, total=total)

            def poll() -> None:
                while not stop.wait(every_s):
                    bars.update(task, completed=min(done(), total))

            thread = threading.Thread(target=poll, daemon=True)
            thread.start()
            try:
                yield
                bars.update(task, completed=total)
            finally:
                stop.set()
                thread.join()
