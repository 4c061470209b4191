"""Categories that no item has: since when, and which of them have been so for long.

A catalogue's entry in its log says of every slot that none of its items has since when that is so, counted on from the
entry before: so no catalogue of the past is read. Slots stay for ever; what is retired is out of what a model may name
and out of metrics, until an item has it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.store import Log, Store
from pipelines.tables.taxonomy import LEAF, Values

Absent = Mapping[str, Mapping[str, str]]
"""By kind of value and slot: since when, UTC, ISO 8601."""


@dataclass(frozen=True)
class Retired:
    """The slots of leaves, and of the values of each level, that no item has had for long."""

    leaves: frozenset[int] = frozenset()
    levels: tuple[frozenset[int], ...] = field(default=())

    def of_level(self, level: int) -> frozenset[int]:
        """Return those of a level, 0 the top."""
        return self.levels[level] if level < len(self.levels) else frozenset()


def absent_since(taxonomy: Mapping[str, Any], seen: Collection[Values], before: Absent, now: str) -> Absent:
    """Return since when each slot of a category is absent from what a catalogue holds; `before` is its parent's."""
    there = {*seen}
    kinds = {LEAF: taxonomy["leaves"]} | {f"level:{level}": held for level, held in enumerate(taxonomy["levels"])}
    return {
        kind: {
            str(slot): before.get(kind, {}).get(str(slot), now)
            for value, slot in held.items()
            if (kind, value) not in there
        }
        for kind, held in kinds.items()
    }


def retired(store: Store, number: int, days: int) -> Retired:
    """Return what had been absent for more than `days` when a catalogue, by its number in the log, was made."""
    if not number:
        return Retired()
    entry = Log(store, "catalogue/log").entry(number)
    absent: Absent = entry.get("absent") or {}
    now = datetime.fromisoformat(entry["at"])
    long = {kind: frozenset(_long(since, now, days)) for kind, since in absent.items()}
    depth = sum(kind != LEAF for kind in absent)
    return Retired(long.get(LEAF, frozenset()), tuple(long.get(f"level:{n}", frozenset()) for n in range(depth)))


def _long(absent: Mapping[str, str], now: datetime, days: int) -> list[int]:
    return [int(slot) for slot, since in absent.items() if (now - datetime.fromisoformat(since)).days >= days]
