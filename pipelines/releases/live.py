"""What is live: the one place where it is read."""

from __future__ import annotations

from typing import Final

from pipelines.releases.release import Release, read_release
from pipelines.runs.manifest import REFUSED, read_manifest
from pipelines.runs.stages import STAGES
from pipelines.store import Log, NotFoundError, Store

PREFIX: Final = "live"


def live_release_id(store: Store) -> str | None:
    """Return the id of the live release, or None of a store that has none."""
    _, entry = Log(store, PREFIX).head()
    return str(entry["release_id"]) if entry else None


def live_release(store: Store) -> Release | None:
    """Return the live release, or None of a store that has none. Raises BrokenReleaseError when it is gone."""
    release_id = live_release_id(store)
    return None if release_id is None else read_release(store, release_id)


def nothing_live(store: Store) -> str:
    """Return that a store has no live release, and what to do: look at what was refused last, or make one."""
    told = f"{store.uri} has no live release yet"
    refused = [found for run_id in store.folders("runs") if (found := _refused(store, run_id))]
    if not refused:
        return f"{told}; make one with `visual-search run`"
    _, run_id, stage = max(refused)
    return f"{told}: run {run_id!r} was refused in {stage}; `visual-search status` says why, and what makes it live"


def _refused(store: Store, run_id: str) -> tuple[str, str, str] | None:
    """Return when (ISO 8601) a run was refused, the run and the stage; None of one that was not."""
    for stage in reversed(STAGES):
        manifest = read_manifest(store, run_id, stage)
        if manifest:
            return (manifest["finished_at"], run_id, stage) if manifest["refusal"] else None
        try:
            return store.read_json(f"runs/{run_id}/{stage}/{REFUSED}")["at"], run_id, stage
        except NotFoundError:
            continue
    return None
