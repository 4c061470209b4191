"""Tasks of judging as raters may see them: read once in a while, without what is hidden."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from pipelines.judge.task import Task, read_task
from pipelines.releases.verdicts import standing, task_ids, task_name
from pipelines.store import Store
from serving.judge.recent import Recent

FRESH_S: Final = 60.0
"""After so long a task is read again: what was erased is to go."""
KEPT: Final = 8
LISTED: Final = 20
"""Tasks that are listed, the newest."""


@dataclass(frozen=True)
class Listed:
    """A task: when it was made (UTC, ISO 8601), and whether it has a verdict."""

    task_id: str
    created_at: str
    is_decided: bool


@dataclass(frozen=True)
class _Read:
    """A task as it is in the store, as it was read at a moment (monotonic seconds), and without what is hidden."""

    whole: Task
    at: float
    hidden: frozenset[str]
    shown: Task


class Tasks:
    """The tasks of a store. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store, self._read = store, Recent[str, _Read](KEPT)

    def newest(self) -> list[Listed]:
        """Return the newest tasks, newest first. Raises StoreError."""
        newest = task_ids(self._store)[: -LISTED - 1 : -1]
        told = (standing(self._store, task_id) for task_id in newest)
        return [Listed(one.task_id, one.created_at, one.verdict is not None) for one in told]

    def task(self, task_id: str, hidden: frozenset[str]) -> Task | None:
        """Return a task without what is hidden, None where there is none of this name. Raises StoreError."""
        read, now = self._read.get(task_id), time.monotonic()
        if read is not None and read.hidden is hidden and now - read.at <= FRESH_S:
            return read.shown
        if read is None or now - read.at > FRESH_S:
            if not self._store.exists(task_name(task_id)):
                return None
            whole, at = read_task(self._store, task_id), now
        else:
            whole, at = read.whole, read.at
        return self._read.keep(task_id, _Read(whole, at, hidden, whole.without(hidden))).shown
