"""Which catalogue a day ended with, by the catalogue's log. Reads small JSON objects only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipelines.errors import StageError
from pipelines.store import Log, Store

LOG = "catalogue/log"
NEWEST = "newest"


@dataclass(frozen=True)
class Day:
    """A day (`name` is YYYY-MM-DD, in UTC, or `newest`) and the catalogue it ended with, by its number in the log."""

    name: str
    number: int
    catalogue_id: str
    items: int
    photos: int


@dataclass(frozen=True)
class Window:
    """The days from a first to a last one that ended with a catalogue of their own, and those that did not."""

    days: tuple[Day, ...]
    without: tuple[str, ...]
    before: dict[str, Any]
    """The entry of the log that the window started from; empty when there is none."""


def window(store: Store, start: date, end: date) -> Window:
    """Return the days from `start` to `end`, both included, oldest first.

    Raises StageError when none of them has a catalogue, or the tables of one are gone.
    """
    if start > end:
        raise StageError(f"--start {start} comes after --end {end}; a backfill goes from the oldest day to the newest")
    before: dict[str, Any] = {}
    found: dict[str, Day] = {}
    for number, entry in Log(store, LOG).entries():
        at = _day_of(entry)
        if at is None or at < start:
            before = entry
        elif at <= end:
            found[at.isoformat()] = _day(at.isoformat(), number, entry)
    wanted = [date.fromordinal(n).isoformat() for n in range(start.toordinal(), end.toordinal() + 1)]
    if not found:
        raise StageError(f"no catalogue was read from {start} to {end} (UTC); the days that have one: {_known(store)}")
    days = tuple(found[name] for name in wanted if name in found)
    check_there(store, days)
    return Window(days, tuple(name for name in wanted if name not in found), before)


def newest(store: Store) -> Day:
    """Return the newest catalogue. Raises StageError when there is none."""
    number, entry = Log(store, LOG).head()
    if not number:
        raise StageError("the store holds no catalogue yet; `visual-search run` reads the first")
    return _day(NEWEST, number, entry)


def check_there(store: Store, days: Iterable[Day]) -> None:
    """Raise StageError when the tables of a day's catalogue are gone."""
    for day in days:
        if next(iter(store.list(f"catalogue/{day.catalogue_id}/photos")), None) is None:
            raise StageError(
                f"the catalogue {day.catalogue_id} that {day.name} ended with is gone: `gc` keeps those of the last "
                "promote.keep releases; start with a later day"
            )


def _day(name: str, number: int, entry: dict[str, Any]) -> Day:
    counts = entry["counts"]
    return Day(name, number, entry["catalogue_id"], counts["items"], counts["photos"])


def _day_of(entry: dict[str, Any]) -> date | None:
    """Return the day on which an entry was written; None of one that was written before entries had a time."""
    at = entry.get("at")
    return datetime.fromisoformat(at).astimezone(UTC).date() if at else None


def _known(store: Store) -> str:
    days = {_day_of(entry) for _, entry in Log(store, LOG).entries()} - {None}
    return ", ".join(sorted(str(day) for day in days)) or "none"
