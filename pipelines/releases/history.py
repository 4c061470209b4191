"""The live log: what is live, what was, and what a rollback returns to. Owns the entries; judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.releases.live import PREFIX
from pipelines.releases.release import Release
from pipelines.runs.owner import person
from pipelines.store import Log, Store, StoreError

NEEDED = {"release_id", "action", "run_id"}

Entry = dict[str, Any]


@dataclass(frozen=True)
class History:
    """All entries of the live log, oldest first, as they were when it was read."""

    entries: tuple[tuple[int, Entry], ...]

    @property
    def number(self) -> int:
        """The number of the newest entry, 0 of an empty log."""
        return self.entries[-1][0] if self.entries else 0

    @property
    def live(self) -> Entry | None:
        """The newest entry."""
        return self.entries[-1][1] if self.entries else None

    def returnable(self) -> list[str]:
        """Return the releases that rollbacks would come to, the live one first.

        A rollback takes away what it left, so that rolling back twice goes further back.
        """
        stack: list[str] = []
        for _, entry in self.entries:
            release_id = entry["release_id"]
            earlier = stack[:-1]
            if entry["action"] == "rollback" and release_id in earlier:
                stack = earlier[: len(earlier) - earlier[::-1].index(release_id)]
            else:
                stack.append(release_id)
        return stack[::-1]

    def recent(self, count: int) -> list[str]:
        """Return the last `count` different releases that were live, newest first."""
        ids = dict.fromkeys(entry["release_id"] for _, entry in reversed(self.entries))
        return list(ids)[:count]

    def answering(self, release_ids: Iterable[str]) -> list[str]:
        """Return of releases that answer alike, having the same model and index, the first: days with nothing new."""
        return self._first_of_each(release_ids, lambda entry: (entry.get("model_id"), entry.get("index_id")))

    def measured(self, count: int) -> list[str]:
        """Return the last `count` releases that were live, newest first, and of those of one measuring the newest."""
        recent = self.recent(len(self.entries))
        return self._first_of_each(recent, lambda entry: entry.get("measured_by"))[:count]

    def anchors(self, count: int) -> list[str]:
        """Return the last `count` releases that a new one is judged beside, besides the live one, newest first.

        What a person has accepted is the measure from then on: releases before it are none.
        """
        return self._since_accepted().measured(count + 1)[1:]

    def accepted_as(self, release: Release) -> str | None:
        """Return why a person accepted what is live, if its numbers are those of a release; else None."""
        live = self.live or {}
        if live.get("blessed") is not False or live.get("measured_by") != release.measured_by:
            return None
        alike = (e for _, e in reversed(self.entries) if e.get("measured_by") == release.measured_by)
        return next((str(e["reason"]) for e in alike if _is_accepted(e) and e["reason"]), None)

    def _since_accepted(self) -> History:
        """Return the entries from the last one by which a person accepted what was not rolled back since; else all."""
        standing = set(self.returnable())
        places = [n for n, (_, e) in enumerate(self.entries) if _is_accepted(e) and e["release_id"] in standing]
        return History(self.entries[places[-1] :]) if places else self

    def _first_of_each(self, release_ids: Iterable[str], key: Callable[[Entry], Hashable]) -> list[str]:
        """Return the first release of each key; one whose entry does not name it (of an older version) is its own."""
        entries = {entry["release_id"]: entry for _, entry in self.entries}
        first: dict[Hashable, str] = {}
        for release_id in release_ids:
            entry = entries[release_id]
            first.setdefault(key(entry) if "measured_by" in entry else release_id, release_id)
        return list(first.values())

    def promotion_of(self, run_id: str, release_id: str) -> int | None:
        """Return the number of the entry by which a run promoted a release, or None."""
        for number, entry in self.entries:
            if (entry["action"], entry["run_id"], entry["release_id"]) == ("promote", run_id, release_id):
                return number
        return None


def read_history(store: Store) -> History:
    """Return the live log. Raises StoreError when an entry is damaged."""
    entries = tuple(Log(store, PREFIX).entries())
    for number, entry in entries:
        lacking = sorted(NEEDED - entry.keys())
        if lacking:
            raise StoreError(
                f"{store.uri}/{PREFIX}: entry {number} lacks {lacking[0]!r}; it was not written by promote"
            )
    return History(entries)


def _is_accepted(entry: Entry) -> bool:
    """Tell whether an entry made a release live though a gate had said no."""
    return entry["action"] == "promote" and entry.get("blessed") is False


def kept_releases(history: History, keep: int) -> set[str]:
    """Return the releases that must stay: the live one, the last `keep`, and the next `keep` that rollbacks come to.

    Those that answer alike count once, and the newest of them stays: else days with nothing new push out all others.
    """
    last, next_ones = (history.answering(ids) for ids in (history.recent(len(history.entries)), history.returnable()))
    return {*last[:keep], *next_ones[:keep]}


def make_entry(
    release: Release, action: str, previous: str | None, *, run_id: str, config_digest: str, reason: str | None
) -> Entry:
    """Return an entry of the live log: what became live, instead of what, and who did it where, when and why."""
    return {
        "release_id": release.release_id,
        "action": action,
        "previous": previous,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "by": person(),
        "run_id": run_id,
        "model_id": release.model_id,
        "index_id": release.index_id,
        "measured_by": release.measured_by,
        "config_digest": config_digest,
        "gates": release.gates,
        "blessed": release.blessed,
        "reason": reason,
        "positions": release.positions,
        "catalogue_number": release.catalogue_number,
    }


def append(store: Store, history: History, entry: Entry) -> bool:
    """Append an entry to the log as it was read; return False when another was faster."""
    return Log(store, PREFIX).append(history.number + 1, entry)
