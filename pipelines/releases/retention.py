"""What must stay in the store: all that kept releases, young runs, running stages and unfinished backfills name.

Deletes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.releases.history import kept_releases, read_history
from pipelines.releases.release import Release, read_release, release_name
from pipelines.runs.lease import lease_is_live
from pipelines.runs.manifest import read_manifest
from pipelines.runs.stages import STAGES
from pipelines.store import Entry, Log, NotFoundError, Store

NAMED_BY = {
    "release_id": "releases",
    "index_id": "indexes",
    "space_id": "embeddings",
    "model_id": "models",
    "prep_id": "images",
    "catalogue_id": "catalogue",
}
BUSY = {
    "catalogue": ("catalogue",),
    "preprocess": ("images",),
    "train": ("models", "examples"),
    "embed": ("embeddings",),
    "index": ("indexes",),
    "evaluate": ("releases",),
}
"""The kinds of which a running stage may be about to adopt an old object, before its manifest says so."""


@dataclass(frozen=True)
class Age:
    """When an object counts as young: last written less than `grace_s` seconds before `now` (seconds since 1970)."""

    grace_s: float
    now: float

    def is_young(self, objects: Iterable[Entry]) -> bool:
        """Tell whether any of the objects is young."""
        return any(self.now - entry.modified_at < self.grace_s for entry in objects)


@dataclass
class Marks:
    """What stays: `names` are (kind, name) of folders; `busy` says of a kind which running stage may want any of it."""

    names: set[tuple[str, str]] = field(default_factory=set)
    busy: dict[str, str] = field(default_factory=dict)

    @property
    def releases(self) -> list[str]:
        """The releases that stay."""
        return sorted(name for kind, name in self.names if kind == "releases")


def mark(store: Store, keep: int, age: Age) -> Marks:
    """Return all that must stay: what the live log, its last `keep` releases, young runs and running stages need.

    Raises StoreError when something that must stay cannot be read, for then nothing is known of what it needs.
    """
    marks = Marks()
    at_work = _mark_backfills(store, marks)
    for run_id, objects in grouped(store, "runs"):
        _mark_run(store, marks, run_id, objects, age, kept=run_id.rpartition(".")[0] in at_work)
    history = read_history(store)
    live = {history.live["release_id"]} if history.live else set()
    young = {name for name, objects in grouped(store, "releases") if age.is_young(objects)}
    for release_id in live | kept_releases(history, keep) | young | set(marks.releases):
        if release_id in live or store.exists(release_name(release_id)):
            _mark_release(marks, read_release(store, release_id))
    number, head = Log(store, "catalogue/log").head()
    if number:
        marks.names.add(("catalogue", head["catalogue_id"]))
    for kind, name in list(marks.names):
        if kind == "models":
            _mark_preparation(store, marks, name)
    return marks


def grouped(store: Store, kind: str) -> Iterator[tuple[str, list[Entry]]]:
    """Yield (folder, its objects) for each folder of a kind."""
    groups: dict[str, list[Entry]] = {}
    for entry in store.list(kind):
        groups.setdefault(entry.name.split("/")[1], []).append(entry)
    yield from groups.items()


def running_stages(store: Store, objects: Iterable[Entry], now: float) -> Iterator[str]:
    """Yield the stages of a run whose lease is held by a process that may still be at work."""
    for entry in objects:
        if entry.name.endswith("/lease.json"):
            try:
                if lease_is_live(store.read_json(entry.name), now):
                    yield entry.name.split("/")[2]
            except NotFoundError:  # the stage ended while we looked
                continue


def _mark_backfills(store: Store, marks: Marks) -> set[str]:
    """Mark the catalogues that backfills which are not done still need; return the names of these backfills."""
    found, log = set(), Log(store, "catalogue/log")
    for backfill_id in store.folders("backfills"):
        try:
            plan = store.read_json(f"backfills/{backfill_id}/plan.json")
        except NotFoundError:  # it is being planned, or that was given up
            continue
        if not store.exists(f"backfills/{backfill_id}/done.json"):
            numbers = {step["number"] for step in plan["steps"]} - {None}
            marks.names |= {("catalogue", log.entry(number)["catalogue_id"]) for number in numbers}
            found.add(backfill_id)
    return found


def _mark_run(store: Store, marks: Marks, run_id: str, objects: list[Entry], age: Age, *, kept: bool) -> None:
    running = list(running_stages(store, objects, age.now))
    for stage in running:
        marks.busy |= dict.fromkeys(BUSY.get(stage, ()), f"{stage} of run {run_id}")
    if not running and not kept and not age.is_young(objects):
        return
    marks.names |= {("runs", run_id), ("examples", run_id)}
    for stage in STAGES:
        outputs = (read_manifest(store, run_id, stage) or {}).get("outputs", {})
        marks.names |= {(kind, outputs[key]) for key, kind in NAMED_BY.items() if outputs.get(key)}


def _mark_release(marks: Marks, release: Release) -> None:
    named = {
        ("releases", release.release_id),
        ("runs", release.run_id),
        ("indexes", release.index_id),
        ("embeddings", release.space_id),
        ("models", release.model_id),
        ("catalogue", release.catalogue_id),
    }
    marks.names |= {(kind, name) for kind, name in named if name}


def _mark_preparation(store: Store, marks: Marks, model_id: str) -> None:
    try:
        prep_id = store.read_json(f"models/{model_id}/model.json").get("prep_id")
    except NotFoundError:  # named by a run whose model is gone
        return
    if prep_id:
        marks.names.add(("images", prep_id))
