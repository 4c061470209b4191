"""What the store says of itself: the live release, what is running, the last runs and the ledger of each stage.

Owns the reading. Reads small JSON objects only, imports nothing heavy, changes nothing.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.releases.history import read_history
from pipelines.releases.release import Release, read_release
from pipelines.runs.lease import lease_is_live
from pipelines.runs.manifest import read_manifest
from pipelines.runs.stages import STAGES
from pipelines.store import NotFoundError, Store, StoreError

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
class StageStatus:
    """One stage of a run: `state` is done, refused, running or unfinished; numbers are those of its manifest."""

    stage: str
    state: str
    counts: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    started_at: str = ""
    notes: list[str] = field(default_factory=list)
    by: str = ""
    peak_memory_bytes: int | None = None


@dataclass(frozen=True)
class RunStatus:
    """One run: its stages in order, and when it was last heard of (seconds since 1970)."""

    run_id: str
    stages: list[StageStatus]
    heard_at: float


@dataclass(frozen=True)
class Status:
    """What a store says of itself; `runs` are the newest, newest first."""

    store: str
    live: LiveRelease | None
    runs: list[RunStatus]
    runs_total: int

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

    Raises StoreError when the live log or a manifest is damaged.
    """
    now = time.time() if now is None else now
    found = sorted((_run(store, run_id, now) for run_id in store.folders("runs")), key=lambda run: -run.heard_at)
    shown = [run for i, run in enumerate(found) if i < runs or any(s.state == "running" for s in run.stages)]
    return Status(store.uri, _live(store, now), shown, len(found))


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


def _run(store: Store, run_id: str, now: float) -> RunStatus:
    stages, heard = [], [_time_of(run_id)]
    for stage in sorted(set(store.folders(f"runs/{run_id}")) & set(STAGES), key=STAGES.index):
        manifest, lease = read_manifest(store, run_id, stage), _lease(store, run_id, stage)
        if manifest is not None:
            stages.append(_finished(manifest))
            heard.append(datetime.fromisoformat(manifest["finished_at"]).timestamp())
            continue
        heard.append(float(lease.get("heartbeat", 0)))
        at_work = bool(lease) and lease_is_live(lease, now)
        by = f"process {lease['pid']} on {lease['host']}" if lease else ""
        stages.append(StageStatus(stage, "running" if at_work else "unfinished", by=by))
    if not max(heard):  # it failed at its first stage, and its name is no time
        heard += [entry.modified_at for entry in store.list(f"runs/{run_id}")]
    return RunStatus(run_id, stages, max(heard))


def _finished(manifest: dict[str, Any]) -> StageStatus:
    refusal = manifest.get("refusal")
    return StageStatus(
        stage=manifest["stage"],
        state="refused" if refusal else "done",
        counts=manifest["counts"],
        rejects=manifest["rejects"],
        seconds=manifest["seconds"],
        started_at=manifest["started_at"],
        notes=[*manifest["notes"], *([f"refused: {refusal}"] if refusal else [])],
        by=manifest["host"],
        peak_memory_bytes=manifest.get("peak_memory_bytes"),
    )


def _lease(store: Store, run_id: str, stage: str) -> dict[str, Any]:
    try:
        lease: dict[str, Any] = store.read_json(f"runs/{run_id}/{stage}/lease.json")
    except NotFoundError:
        return {}
    return lease


def _time_of(run_id: str) -> float:
    try:
        return datetime.strptime(run_id, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:  # a run with a name of its own
        return 0.0
