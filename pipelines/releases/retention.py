"""What must stay in the store: all that kept releases, young runs, running stages and unfinished backfills name.

Deletes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.releases.history import kept_releases, read_history
from pipelines.releases.release import Release, read_release, release_name
from pipelines.releases.verdicts import being_judged
from pipelines.runs.lease import lease_is_live
from pipelines.runs.manifest import REFUSED, Manifest, read_manifest
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
SKEW_S = 5.0
"""How far the clocks of stages and of the store may differ."""


@dataclass(frozen=True)
class Age:
    """When an object counts as young: last written less than `grace_s` seconds before the collection `began`.

    A run whose gate said no less than `refused_s` seconds before is young too, for it may still be accepted, and so are
    releases that people have been asked to judge since. Times are
    seconds since 1970, `ahead_s` later than the clock says.
    """

    grace_s: float
    began: float
    refused_s: float = 0.0
    ahead_s: float = 0.0

    @property
    def now(self) -> float:
        """The time at the moment: what runs is told by it, for a collection may take hours."""
        return time.time() + self.ahead_s

    def is_young(self, objects: Iterable[Entry]) -> bool:
        """Tell whether any of the objects is young."""
        return any(self.began - entry.modified_at < self.grace_s for entry in objects)


@dataclass(frozen=True)
class Kept:
    """How many `releases` stay for rollbacks, and of how many of the last measurings that were live the numbers."""

    releases: int
    measured: int = 0


@dataclass
class Marks:
    """What stays: `names` are (kind, name) of folders, and whatever was written `since` the oldest running stage began.

    That is what a stage may be about to commit, or has committed and is about to name in its manifest. `measured` are
    releases of which only their own folder stays.
    """

    since: float
    names: set[tuple[str, str]] = field(default_factory=set)
    measured: set[str] = field(default_factory=set)

    def is_in_the_making(self, objects: Iterable[Entry]) -> bool:
        """Tell whether any of the objects may be the work of a stage that runs."""
        return any(entry.modified_at >= self.since - SKEW_S for entry in objects)

    @property
    def releases(self) -> list[str]:
        """The releases that stay with all that they refer to."""
        return sorted({name for kind, name in self.names if kind == "releases"} - self.measured)


def mark(store: Store, keep: Kept, age: Age) -> Marks:
    """Return all that must stay: what the live log, its last releases, young runs and running stages need.

    Raises StoreError when something that must stay cannot be read, for then nothing is known of what it needs.
    """
    marks = Marks(age.began)
    at_work = _mark_backfills(store, marks)
    for run_id, objects in grouped(store, "runs"):
        _mark_run(store, marks, run_id, objects, age, kept=run_id.rpartition(".")[0] in at_work)
    history = read_history(store)
    live = {history.live["release_id"]} if history.live else set()
    young = {name for name, objects in grouped(store, "releases") if age.is_young(objects)}
    judged = being_judged(store, age.began - age.refused_s)
    for release_id in live | kept_releases(history, keep.releases) | young | judged | set(marks.releases):
        if release_id in live or store.exists(release_name(release_id)):
            _mark_release(marks, read_release(store, release_id))
    for run_id in [name for kind, name in marks.names if kind == "runs"]:
        marks.names |= {("runs", name) for name in _runs_taken_from(store, run_id)}
    marks.measured = set(history.measured(keep.measured + 1)) - set(marks.releases)
    marks.names |= {("releases", release_id) for release_id in marks.measured}
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


def _running_since(store: Store, objects: Iterable[Entry], now: float) -> Iterator[float]:
    """Yield when the stages of a run began whose lease is held by a process that may still be at work."""
    for entry in objects:
        if entry.name.endswith("/lease.json"):
            try:
                lease = store.read_json(entry.name)
            except NotFoundError:  # the stage ended while we looked
                continue
            if lease_is_live(lease, now):
                yield float(lease.get("since", 0.0))


def _mark_backfills(store: Store, marks: Marks) -> set[str]:
    """Mark the catalogues that backfills which are not done still need; return the names of these backfills."""
    found, log = set(), Log(store, "catalogue/log")
    for backfill_id in store.folders("backfills"):
        try:
            plan = store.read_json(f"backfills/{backfill_id}/plan.json")
        except NotFoundError:  # it is being planned, or that was given up
            continue
        if not any(store.exists(f"backfills/{backfill_id}/{end}.json") for end in ("done", "cancelled")):
            numbers = {step["number"] for step in plan["steps"]} - {None}
            marks.names |= {("catalogue", log.entry(number)["catalogue_id"]) for number in numbers}
            found.add(backfill_id)
    return found


def _mark_run(store: Store, marks: Marks, run_id: str, objects: list[Entry], age: Age, *, kept: bool) -> None:
    began = list(_running_since(store, objects, age.now))
    marks.since = min([marks.since, *began])
    found = {entry.name.split("/")[2] for entry in objects if entry.name.endswith("/manifest.json")}
    manifests = [read_manifest(store, run_id, stage) or {} for stage in STAGES if stage in found]
    said_no = any(_may_be_accepted(one, age) for one in manifests) or any(_refused(one, age) for one in objects)
    if not (began or kept or age.is_young(objects) or said_no):
        return
    marks.names |= {("runs", run_id), ("examples", run_id)}
    for manifest in manifests:
        outputs = manifest.get("outputs", {})
        marks.names |= {(kind, outputs[key]) for key, kind in NAMED_BY.items() if outputs.get(key)}


def _may_be_accepted(manifest: Manifest, age: Age) -> bool:
    """Tell whether the gate of a stage said no so lately that a person may still overrule it."""
    if not manifest.get("refusal"):
        return False
    return age.began - datetime.fromisoformat(manifest["finished_at"]).timestamp() < age.refused_s


def _refused(entry: Entry, age: Age) -> bool:
    """Tell whether a gate ended a stage so lately that a person may still overrule it, or people judge its release."""
    return entry.name.endswith(f"/{REFUSED}") and age.began - entry.modified_at < age.refused_s


def _runs_taken_from(store: Store, run_id: str) -> set[str]:
    """Return the runs whose tables a run hands on as its own: those that did the work, so they name no others."""
    manifests = [read_manifest(store, run_id, stage) or {} for stage in STAGES]
    return {manifest["taken_from"] for manifest in manifests if manifest.get("taken_from")}


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
