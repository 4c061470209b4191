"""Garbage collection: what is not marked (`retention`) and is old enough is swept.

Owns the order: commits before what they commit, referrers before what they refer to, so that a killed sweep leaves
nothing half-deleted in sight. Sources, splits, the taxonomy and all logs are never touched.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pipelines.releases.retention import Age, Kept, Marks, grouped, mark
from pipelines.runs import pins
from pipelines.runs.lease import lease
from pipelines.runs.stages import STAGES
from pipelines.store import Entry, NotFoundError, Store, StoreError, UnitTable
from pipelines.store.units import KEYS_SUFFIX

GRACE_S = 24 * 3600.0
IN_FLIGHT_S = 3600.0
"""How long data waits for its commit at the least: it may be that of a job whose launcher is gone."""
KINDS = ("releases", "runs", "indexes", "embeddings", "models", "examples", "images", "catalogue")
UNIT_TABLES = ("images", "embeddings")
NEVER = {("catalogue", "log"), ("models", "by-key")}
COMMITS = ("/manifest.json", "/model.json", "/index.json", KEYS_SUFFIX)
UNIT_DATA = re.compile(r"([0-9a-f]{16})-[0-9a-f]{12}\.parquet")


@dataclass
class Swept:
    """How much of one kind went, or would go: folders or single objects, all their objects, and bytes."""

    groups: int = 0
    objects: int = 0
    bytes: int = 0


@dataclass
class GcResult:
    """What a collection did: by kind what went, which releases stay, and notes of what was left for next time."""

    dry_run: bool
    removed: dict[str, Swept] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Bytes freed in all."""
        return sum(swept.bytes for swept in self.removed.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self) | {"bytes": self.bytes}

    def lines(self) -> list[str]:
        """Return the result in plain words, a line a kind."""
        verb = "would remove" if self.dry_run else "removed"
        lines = [
            f"{verb} {kind}: {s.groups} ({s.objects} objects, {_size(s.bytes)})" for kind, s in self.removed.items()
        ]
        return [*(lines or ["nothing to remove"]), f"kept releases: {', '.join(self.kept) or 'none'}", *self.notes]


def collect_garbage(
    store: Store,
    *,
    keep: int,
    measured: int = 0,
    grace_s: float = GRACE_S,
    refused_s: float = 0.0,
    dry_run: bool = False,
    now: float | None = None,
) -> GcResult:
    """Remove what no kept release, young run or running stage needs, once it is older than `grace_s` seconds.

    `keep` releases stay for rollbacks, of the last `measured` ones what was measured of them, and a run that a gate
    refused for `refused_s` seconds. What a running stage is writing, or has pinned, stays whatever its age. Can be
    killed at any point and run again. Raises StageError when another collection runs, and StoreError when something
    that must stay cannot be read; then nothing more goes.
    """
    result, ahead_s = GcResult(dry_run), 0.0 if now is None else now - time.time()
    age, kept = Age(grace_s, time.time() + ahead_s, refused_s, ahead_s), Kept(keep, measured)
    if dry_run:
        _sweep(store, kept, age, result, lambda: None)
        return result
    with lease(store, pins.SWEEPER_FOLDER, "gc") as held:
        _sweep(store, kept, age, result, held.check)
        pins.drop_stale(store, age.began, age.now)
    return result


def _sweep(store: Store, keep: Kept, age: Age, result: GcResult, check: Callable[[], None]) -> None:
    for kind in KINDS:
        check()
        marks = mark(store, keep, age)  # again for each kind: a run may have started or ended meanwhile
        result.kept = marks.releases
        _sweep_kind(store, kind, marks, age, result)
    in_flight = replace(age, grace_s=max(age.grace_s, IN_FLIGHT_S))
    for kind in UNIT_TABLES:
        for entry in list(_unnamed_data(store, kind)):
            if not in_flight.is_young([entry]):
                _remove(store, "uncommitted", [entry], result)
    for entry in _unread_feeds(store):
        if not in_flight.is_young([entry]):
            _remove(store, "feeds", [entry], result)
    _sweep_temporaries(store, in_flight, result)


def _sweep_kind(store: Store, kind: str, marks: Marks, age: Age, result: GcResult) -> None:
    stays = NEVER | marks.names
    doomed = {
        name: objects
        for name, objects in grouped(store, kind)
        if (kind, name) not in stays and not age.is_young(objects) and not marks.is_in_the_making(objects)
    }
    batches = [sorted(doomed)] if kind == "models" else [[name] for name in sorted(doomed)]
    for batch in batches:
        claimed = [name for name in batch if result.dry_run or pins.claim(store, f"{kind}/{name}", age.began, age.now)]
        if kind == "models":
            _forget_keys(store, set(claimed), age, result)
        for name in claimed:
            _remove(store, kind, sorted(doomed[name], key=_commits_first), result)
            if not result.dry_run:
                pins.release(store, f"{kind}/{name}")


def _forget_keys(store: Store, doomed: set[str], age: Age, result: GcResult) -> None:
    """Remove the train keys of models that go or are gone, so that no run adopts one."""
    for entry in list(store.list("models/by-key")):
        model_id = str(store.read_json(entry.name).get("model_id", ""))
        gone = not store.exists(f"models/{model_id}/model.json") and not age.is_young([entry]) if model_id else False
        if model_id in doomed or gone:
            _remove(store, "train keys", [entry], result)


def _unnamed_data(store: Store, kind: str) -> Iterator[Entry]:
    """Yield unit data that no keys file names: never committed, or a commit that was lost to another worker."""
    tables: dict[str, list[Entry]] = {}
    for entry in store.list(kind):
        tables.setdefault(entry.name.rpartition("/")[0], []).append(entry)
    for prefix, objects in tables.items():
        table, data = UnitTable(store, prefix), dict[str, list[Entry]]()
        for entry in objects:
            found = UNIT_DATA.fullmatch(entry.name.rpartition("/")[2])
            if found:
                data.setdefault(found[1], []).append(entry)
        for unit_id, attempts in data.items():
            yield from _unnamed_attempts(table, unit_id, attempts)


def _unread_feeds(store: Store) -> list[Entry]:
    """Return the feeds that were fetched from addresses which give another one by now."""
    entries = list(store.list("feeds"))
    newest = {store.read_json(entry.name)["object"] for entry in entries if entry.name.endswith(".json")}
    return [entry for entry in entries if not entry.name.endswith(".json") and entry.name not in newest]


def _unnamed_attempts(table: UnitTable, unit_id: str, attempts: list[Entry]) -> list[Entry]:
    if not table.has(unit_id):
        return attempts
    if len(attempts) == 1:  # it can only be the committed one
        return []
    try:
        named = table.data_name(unit_id)
    except NotFoundError:  # a unit of rejects alone
        return attempts
    except StoreError:  # damaged keys: whoever repairs them may want the data
        return []
    return [entry for entry in attempts if entry.name != named]


def _sweep_temporaries(store: Store, age: Age, result: GcResult) -> None:
    sweep_temporary = getattr(store, "sweep_temporary", None)  # a bucket has none
    if sweep_temporary is None:
        return
    count = sweep_temporary(age.grace_s, age.began, dry_run=result.dry_run)
    if count:
        result.removed["temporaries"] = Swept(count, count)


def _remove(store: Store, kind: str, objects: list[Entry], result: GcResult) -> None:
    swept = result.removed.setdefault(kind, Swept())
    for entry in objects:
        if not result.dry_run:
            store.delete(entry.name)
        swept.objects += 1
        swept.bytes += entry.size_bytes
    swept.groups += 1


def _commits_first(entry: Entry) -> tuple[bool, int, str]:
    """Order commits before data, and the manifests of late stages, which refer to early ones, before these."""
    stages = [-number for number, stage in enumerate(STAGES) if f"/{stage}/" in entry.name]
    return not entry.name.endswith(COMMITS), min(stages, default=0), entry.name


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
