"""What the store says of itself: the live release, what is running, the last runs and the ledger of each stage.

Owns the reading. Reads small JSON objects only, imports nothing heavy, changes nothing.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipelines.hidden import read_hidden
from pipelines.releases.history import read_history
from pipelines.releases.release import Release, read_release
from pipelines.status.held import Held, held_back
from pipelines.status.runs import RunStatus, StageStatus, read_run
from pipelines.store import Store, StoreError

LIVE = ("action", "at", "by", "reason", "previous", "run_id", "gates", "positions")


@dataclass(frozen=True)
class LiveRelease:
    """The release that is served, and how long ago anything was promoted; `problem` says what of it cannot be read.

    `measured_for` is the release for which its numbers were measured, at `measured_at`: itself, where anything was new.
    """

    release_id: str
    number: int
    action: str
    at: str
    age_s: float
    promoted_age_s: float
    by: str
    reason: str | None
    previous: str | None
    run_id: str
    gates: list[dict[str, Any]]
    positions: dict[str, str]
    model_id: str = ""
    index_id: str = ""
    catalogue_id: str = ""
    items: int = 0
    report: str = ""
    measured_for: str = ""
    measured_at: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Status:
    """What a store says of itself.

    `runs` are the newest, newest first; `held` where the newest feed is not live; `hidden` counts items that nobody
    finds.
    """

    store: str
    live: LiveRelease | None
    runs: list[RunStatus]
    runs_total: int
    held: Held | None = None
    hidden: int = 0

    @property
    def running(self) -> list[tuple[str, StageStatus]]:
        """The stages that are at work now, with their run."""
        return [(run.run_id, stage) for run in self.runs for stage in run.stages if stage.state == "running"]

    def as_dict(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        running = [{"run_id": run_id, **asdict(stage)} for run_id, stage in self.running]
        return asdict(self) | {"running": running}


def collect_status(store: Store, *, runs: int = 5, now: float | None = None) -> Status:
    """Return the status of a store with its newest `runs` and every run that is at work.

    Raises StoreError when a log or a manifest is damaged.
    """
    now = time.time() if now is None else now
    found = sorted((read_run(store, run_id, now) for run_id in store.folders("runs")), key=lambda run: -run.heard_at)
    shown = [run for i, run in enumerate(found) if i < runs or any(s.state == "running" for s in run.stages)]
    live, hidden = _live(store, now), len(read_hidden(store).items)
    return Status(store.uri, live, shown, len(found), held_back(store, found, _since(live)), hidden)


def lateness(status: Status, max_age_hours: float) -> str | None:
    """Return what is late: nothing was promoted for longer than that; None when something was."""
    if status.live is None:
        return "nothing was ever promoted"
    hours = status.live.promoted_age_s / 3600
    if hours <= max_age_hours:
        return None
    return f"nothing was promoted for {hours:.1f} hours, longer than {max_age_hours:g}; look at the last runs"


def _live(store: Store, now: float) -> LiveRelease | None:
    history = read_history(store)
    if history.live is None:
        return None
    entry, newest_first = history.live, [e for _, e in reversed(history.entries)]
    common: dict[str, Any] = {
        "release_id": entry["release_id"],
        "number": history.number,
        "age_s": _age_of(entry, now),
        "promoted_age_s": _age_of(next((e for e in newest_first if e["action"] == "promote"), entry), now),
        **{key: entry[key] for key in LIVE},
    }
    try:
        return LiveRelease(**common, **_parts(store, read_release(store, entry["release_id"])))
    except StoreError as error:  # a status must show a broken release, not stop at it
        return LiveRelease(**common, problem=str(error))


def _since(live: LiveRelease | None) -> float:
    return 0.0 if live is None else datetime.fromisoformat(live.at).timestamp()


def _age_of(entry: dict[str, Any], now: float) -> float:
    return round(now - datetime.fromisoformat(entry["at"]).timestamp(), 1)


def _parts(store: Store, release: Release) -> dict[str, Any]:
    return {
        "model_id": release.model_id,
        "index_id": release.index_id,
        "catalogue_id": release.catalogue_id,
        "items": _items(store, release.index_id),
        "report": f"{store.uri}/releases/{release.release_id}/report.html",
        "measured_for": release.measured_for,
        "measured_at": release.measured_at,
    }


def _items(store: Store, index_id: str) -> int:
    return int(store.read_json(f"indexes/{index_id}/manifest.json")["counts"]["items"])
