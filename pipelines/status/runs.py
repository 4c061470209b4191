"""The runs of a store as their stages have left them: manifests, leases, and what gates said. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.runs.lease import lease_is_live
from pipelines.runs.manifest import REFUSED, read_manifest
from pipelines.runs.stages import STAGES
from pipelines.store import NotFoundError, Store


@dataclass(frozen=True)
class StageStatus:
    """One stage of a run: `state` is done, refused, running or unfinished; numbers are those of its manifest.

    `release_id` is the release that evaluate has made, `refusal` what a gate said, and `passes` the stage that passes
    it when it is given a person's reason.
    """

    stage: str
    state: str
    counts: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    started_at: str = ""
    notes: list[str] = field(default_factory=list)
    by: str = ""
    peak_memory_bytes: int | None = None
    release_id: str = ""
    refusal: str = ""
    passes: str = ""


@dataclass(frozen=True)
class RunStatus:
    """One run: its stages in order, and when it was last heard of (seconds since 1970)."""

    run_id: str
    stages: list[StageStatus]
    heard_at: float


def read_run(store: Store, run_id: str, now: float) -> RunStatus:
    """Return what a run has done so far; `now` is seconds since 1970."""
    stages, heard = [], [_time_of(run_id)]
    for stage in sorted(set(store.folders(f"runs/{run_id}")) & set(STAGES), key=STAGES.index):
        manifest, lease = read_manifest(store, run_id, stage), _lease(store, run_id, stage)
        if manifest is not None:
            stages.append(_finished(manifest))
            heard.append(datetime.fromisoformat(manifest["finished_at"]).timestamp())
            continue
        heard.append(float(lease.get("heartbeat", 0)))
        at_work = bool(lease) and lease_is_live(lease, now)
        if not at_work and (refused := _refused(store, run_id, stage)):
            heard.append(datetime.fromisoformat(refused.started_at).timestamp())
            stages.append(refused)
            continue
        by = f"process {lease['pid']} on {lease['host']}" if lease else ""
        stages.append(StageStatus(stage, "running" if at_work else "unfinished", by=by))
    if not max(heard):  # it failed at its first stage, and its name is no time
        heard += [entry.modified_at for entry in store.list(f"runs/{run_id}")]
    return RunStatus(run_id, stages, max(heard))


def _refused(store: Store, run_id: str, stage: str) -> StageStatus | None:
    """Return the status of a stage that a gate ended before it had made anything; None of others."""
    try:
        told = store.read_json(f"runs/{run_id}/{stage}/{REFUSED}")
    except NotFoundError:
        return None
    refusal = str(told["refusal"])
    return StageStatus(
        stage,
        "refused",
        started_at=told["at"],
        notes=[f"refused: {refusal}"],
        refusal=refusal,
        passes=told["passes"],
    )


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
        release_id=manifest["outputs"].get("release_id", ""),
        refusal=refusal or "",
        passes="promote" if refusal else "",
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
