"""The `erase` command, without its flags: what goes is found, hidden, taken out of every object, and looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pipelines.erase import subject as subjects
from pipelines.erase.indexes import rebuild_indexes, renew_models
from pipelines.erase.scan import Trace, scan
from pipelines.erase.subject import Subject
from pipelines.erase.tables import clean_table, clean_units
from pipelines.erase.texts import clean_json, clean_page
from pipelines.errors import StageError
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE
from pipelines.hidden.entries import PREFIX as HIDDEN
from pipelines.hidden.erased import ALLOW, ERASE, note
from pipelines.runs.lease import lease, running_stages
from pipelines.runs.pins import SWEEPER_FOLDER
from pipelines.runs.stages import STAGES
from pipelines.store import Store
from pipelines.store.opening import read_format
from pipelines.store.units import KEYS_SUFFIX
from pipelines.telemetry.progress import Progress

REASON: Final = "erased"
REBUILT: Final = "indexes/"
COUNTED: Final = ("photos", "rewritten", "removed", "indexes")
WORK: Final = "evaluate/work/"
"""Of a stage that is done, what it needed while it was at work."""
FETCHED: Final = ("examples", "feeds")
"""What is made, or fetched, again where it is needed."""


@dataclass
class Erasure:
    """What an erasure came to; `left` is what the scan has found in the end."""

    items: int
    photos: int
    shared: int
    rewritten: int = 0
    removed: int = 0
    indexes: int = 0
    models: tuple[str, ...] = ()
    left: list[Trace] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the last line of the command."""
        return {**vars(self), "models": list(self.models), "left": [vars(trace) for trace in self.left]}


def erase(store: Store, item_ids: Sequence[str], progress: Progress, photos: Sequence[bytes] = ()) -> Erasure:
    """Take items out of everything that the store holds, and what a killed command was to take out, too.

    `photos` are digests of photos that were theirs, too. Raises StageError while a stage or a collection runs, and
    when an index cannot be built again.
    """
    read_format(store)
    with ExitStack() as held:
        held.enter_context(lease(store, SWEEPER_FOLDER, "gc or erase"))
        _refuse_running(store)
        change(store, HIDE, list(item_ids), REASON)
        subject = subjects.find(store, item_ids, photos)
        subjects.keep(store, subject)
        begun = [other for other in subjects.kept(store) if other != subject]
        done = [(one.item_ids, _erase(store, one, progress)) for one in (*begun, subject)]
    return _summed([erasure for ids, erasure in done if ids == subject.item_ids])


def allow(store: Store, item_ids: Sequence[str]) -> list[str]:
    """Let feeds bring items back that were erased; return which had been."""
    read_format(store)
    return note(store, ALLOW, item_ids)


def look(store: Store, item_ids: Sequence[str], photos: Sequence[bytes] = ()) -> list[Trace]:
    """Return what the store holds of items, by name."""
    read_format(store)
    subject = subjects.find(store, item_ids, photos)
    return sorted(scan(store, subject), key=lambda trace: (trace.name, trace.what))


def _summed(parts: Sequence[Erasure]) -> Erasure:
    """Return what the erasures of some items came to, of which the first were killed before."""
    last = parts[-1]
    counts = {name: sum(getattr(part, name) for part in parts) for name in COUNTED}
    models = tuple(sorted({model_id for part in parts for model_id in part.models}))
    return replace(last, **counts, models=models)


def _refuse_running(store: Store) -> None:
    for run_id in store.folders("runs"):
        if stages := running_stages(store, run_id):
            raise StageError(f"{', '.join(stages)} of run {run_id!r} is at work; erase when it has ended")


def _erase(store: Store, subject: Subject, progress: Progress) -> Erasure:
    erasure = Erasure(len(subject.item_ids), len(subject.digests), len(subject.shared), models=subject.models)
    note(store, ERASE, subject.item_ids)
    items = "1 item" if erasure.items == 1 else f"{erasure.items} items"
    progress.say(f"erase: {items}, {erasure.photos} photos that only these show: tables and reports")
    erasure.removed += _remove_work(store)
    _clean(store, subject, erasure)
    progress.say("erase: indexes")
    erasure.indexes = rebuild_indexes(store, subject)
    erasure.rewritten += renew_models(store)
    progress.say("erase: the whole store is read once more")
    erasure.left = list(scan(store, subject, but=(f"{HIDDEN}/",)))
    if not erasure.left:
        _forget_hiding(store, subject)
        erasure.left = list(scan(store, subject, HIDDEN))
    if not erasure.left:
        subjects.forget(store, subject)
    return erasure


def _remove_work(store: Store) -> int:
    """Remove what only stages at work read, and all of those that ended before their manifest; return how many."""
    doomed = [entry.name for prefix in FETCHED for entry in store.list(prefix)]
    for run_id in store.folders("runs"):
        for stage in STAGES:
            folder = f"runs/{run_id}/{stage}"
            is_done = store.exists(f"{folder}/manifest.json")
            for entry in store.list(folder):
                rest = entry.name.removeprefix(f"runs/{run_id}/")
                if not is_done or rest.startswith(WORK):
                    doomed.append(entry.name)
    for name in doomed:
        store.delete(name)
    return len(doomed)


def _clean(store: Store, subject: Subject, erasure: Erasure) -> None:
    prefixes = subjects.unit_prefixes(store)
    for prefix in prefixes:
        erasure.rewritten += clean_units(store, prefix, subject)
    for entry in list(store.list("")):
        name, folder = entry.name, entry.name.rpartition("/")[0]
        if name.startswith((REBUILT, f"{HIDDEN}/", f"{subjects.PREFIX}/")) or name.endswith(KEYS_SUFFIX):
            continue
        if name.endswith(".parquet") and folder not in prefixes:
            erasure.rewritten += clean_table(store, name, subject)
        elif name.endswith(".json"):
            erasure.rewritten += clean_json(store, name, subject)
        elif name.endswith(".html"):
            erasure.rewritten += clean_page(store, name, subject)


def _forget_hiding(store: Store, subject: Subject) -> None:
    """Take the ids out of the log of hidden items, last of all: as long as anything is left, nobody is to find it."""
    for entry in list(store.list(HIDDEN)):
        if entry.name.endswith(".json"):
            clean_json(store, entry.name, subject)
        else:
            clean_table(store, entry.name, subject)


def told(erasure: Erasure) -> Iterator[str]:
    """Yield what a person must know of an erasure."""
    if erasure.shared:
        yield f"erase: {erasure.shared} photos stay, which other items show, too; erase those items to remove them"
    for model_id in erasure.models:
        yield f"erase: model {model_id} may have learned from the photos; it holds none, and the next training has none"
    if erasure.items:
        yield "erase: exports, and what was sent to servers, are outside of the store: export anew, and remove the old"
    for trace in erasure.left:
        yield f"erase: {trace.name} still holds {trace.what}; was a run begun meanwhile? Erase again when it has ended"
