"""Noting decisions and taking them back: one more entry of the log, unless it is so already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pipelines.curated.entries import PREFIX, UNDO, Decision, Entry
from pipelines.curated.state import Curated, read_curated, sum_up
from pipelines.errors import StageError
from pipelines.store import Log, Store
from pipelines.store.opening import read_format

ATTEMPTS: Final = 1_000
"""Each that fails is another writer's success."""


@dataclass(frozen=True)
class Noted:
    """The number under which a decision stands, or that of its undoing; whether that is new; and what stands now."""

    number: int
    is_new: bool
    curated: Curated


def note(store: Store, decision: Decision, reason: str, by: str) -> Noted:
    """Note a decision; of one that stands already nothing is noted, and its reason stays.

    Safe under other writers: what was appended meanwhile is read before the next attempt. Raises StoreError where
    there is no store, and StageError for an undoing of what does not stand, or when others are always faster.
    """
    read_format(store)
    curated = read_curated(store)
    for _ in range(ATTEMPTS):
        if decision.action == UNDO:
            _check_stands(curated, decision.undoes)
        elif number := curated.standing_as(decision):
            return Noted(number, False, curated)
        entry = Entry(decision, reason, datetime.now(UTC).isoformat(timespec="seconds"), by)
        if Log(store, PREFIX).append(curated.number + 1, entry.as_json()):
            curated = curated.after(entry)
            sum_up(store, curated)
            return Noted(curated.number, True, curated)
        curated = curated.newer(store)
    raise StageError(f"{ATTEMPTS} other changes of {PREFIX}/ were faster; run the command again")


def _check_stands(curated: Curated, number: int) -> None:
    if number not in curated.standing:
        told = "was taken back already, or is an undoing itself" if 0 < number <= curated.number else "is none there"
        raise StageError(f"decision {number} {told}; `visual-search curate list` shows those that stand")
