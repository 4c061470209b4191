"""Hiding items and showing them again: one more entry of the log, unless it is so already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pipelines.errors import StageError
from pipelines.hidden.entries import HIDE, PREFIX, Entry
from pipelines.hidden.state import Hidden, read_hidden, sum_up
from pipelines.runs.owner import person
from pipelines.store import Log, Store
from pipelines.store.opening import read_format

ATTEMPTS: Final = 1_000
"""Each that fails is another writer's success."""


@dataclass(frozen=True)
class Change:
    """What a command came to: the number of the newest entry, which items it changed, and how many were so already."""

    number: int
    changed: tuple[str, ...]
    unchanged: int
    hidden: Hidden


def change(store: Store, action: str, item_ids: list[str], reason: str) -> Change:
    """Hide items, or show them again. Of items that are so already nothing is noted, and the first reason stays.

    Safe under other writers: what was appended meanwhile is read before the next attempt. Raises StoreError where
    there is no store, and StageError when others are always faster.
    """
    read_format(store)
    hidden = read_hidden(store)
    for _ in range(ATTEMPTS):
        wanted = tuple(item_id for item_id in item_ids if (item_id in hidden) != (action == HIDE))
        if not wanted:
            return Change(hidden.number, (), len(item_ids), hidden)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = Entry(action, wanted, reason, at, person())
        if Log(store, PREFIX).append(hidden.number + 1, entry.as_json()):
            hidden = hidden.after(entry)
            sum_up(store, hidden)
            return Change(hidden.number, wanted, len(item_ids) - len(wanted), hidden)
        hidden = hidden.newer(store)
    raise StageError(f"{ATTEMPTS} other changes of {PREFIX}/ were faster; run the command again")
