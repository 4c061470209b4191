"""What a running stage uses before its manifest says so: pins, which `gc` asks for before it removes a group.

A stage pins a group and then looks whether it is there; `gc` marks a group and then looks for pins. Whoever comes
second sees the other, so what a stage has found is not removed under it.
"""

from __future__ import annotations

import time
from datetime import datetime

from pipelines.errors import StageError
from pipelines.runs.lease import lease_is_live
from pipelines.runs.manifest import read_manifest
from pipelines.store import NotFoundError, Store
from pipelines.store.retries import polled

PREFIX = "pins"
SWEEPER = "gc"
SWEEPER_FOLDER = "gc"
"""Where the lease of the running collection lies."""
WAIT_S, POLL_S = 600.0, 0.5


def pin(store: Store, group: str, run_id: str, stage: str) -> None:
    """Keep a group, `<kind>/<name>`, while a stage runs; waits for a collection that is just removing it.

    Raises StageError when that takes too long.
    """
    store.create_json(f"{PREFIX}/{group}/{run_id}.{stage}", {"at": time.time()})
    mark = f"{PREFIX}/{group}/{SWEEPER}"

    def is_free() -> bool | None:
        return None if store.exists(mark) and _is_held(store, SWEEPER_FOLDER, time.time()) else True

    if not polled(is_free, POLL_S, WAIT_S):
        raise StageError(f"`gc` has been removing {group} for {WAIT_S:.0f} s; end it, and run again")


def claim(store: Store, group: str, began: float, now: float) -> bool:
    """Mark a group for removal by the collection that began then; return False, unmarked, when a stage has it pinned.

    Whoever gets True removes the group and calls `release`.
    """
    name = f"{PREFIX}/{group}/{SWEEPER}"
    store.put(name, b"")  # one collection runs at a time: it has a lease
    pins = [entry.name.rsplit("/", 1)[-1] for entry in store.list(f"{PREFIX}/{group}")]
    if any(_uses(store, one, began, now) for one in pins if one != SWEEPER):
        store.delete(name)
        return False
    return True


def release(store: Store, group: str) -> None:
    """Remove a group's pins and the mark of its removal, the mark last."""
    for entry in sorted(store.list(f"{PREFIX}/{group}"), key=lambda entry: entry.name.endswith(f"/{SWEEPER}")):
        store.delete(entry.name)


def drop_stale(store: Store, began: float, now: float) -> None:
    """Remove the pins of stages that have ended before the collection that began then."""
    for entry in list(store.list(PREFIX)):
        one = entry.name.rsplit("/", 1)[-1]
        if one == SWEEPER or not _uses(store, one, began, now):
            store.delete(entry.name)


def _uses(store: Store, one: str, began: float, now: float) -> bool:
    """Tell whether the stage of a pin runs, or has ended since the collection read the manifests."""
    run_id, _, stage = one.rpartition(".")
    if _is_held(store, f"runs/{run_id}/{stage}", now):
        return True
    manifest = read_manifest(store, run_id, stage)
    return manifest is not None and datetime.fromisoformat(manifest["finished_at"]).timestamp() >= int(began)


def _is_held(store: Store, folder: str, now: float) -> bool:
    try:
        return lease_is_live(store.read_json(f"{folder}/lease.json"), now)
    except NotFoundError:
        return False
