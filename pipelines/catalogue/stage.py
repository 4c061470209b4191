"""The catalogue stage: merge the feed files with the newest catalogue, check the result, append it to the log."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from pipelines.catalogue.arrivals import DELTAS, MEDIA, SNAPSHOT
from pipelines.catalogue.checks import check_summary
from pipelines.catalogue.deltas import read_record, write_record
from pipelines.catalogue.feeds import Feeds, find_feeds, last_delta
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.headers import check_columns
from pipelines.catalogue.leaves import ensure_leaves
from pipelines.catalogue.merge import Terms
from pipelines.catalogue.notes import notes_of
from pipelines.catalogue.overlay import Overlay, read_overlay
from pipelines.catalogue.roles import Roles
from pipelines.catalogue.sample import changes, draw
from pipelines.catalogue.summary import Summary
from pipelines.curated import Curated
from pipelines.curated.settled import settle
from pipelines.errors import StageError
from pipelines.hidden.erased import read_erased
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import check_photo_folders, reject_notes
from pipelines.runs.ledger import Ledger, StageResult, most_frequent_first
from pipelines.runs.outputs import CatalogueOutputs
from pipelines.store import Log
from pipelines.tables.absences import absent_since
from pipelines.tables.taxonomy import extend_taxonomy, look_alikes, read_taxonomy

NOTHING_NEW = "the feeds hold nothing new: the catalogue stays as it is"
_FILES = {"snapshot", "snapshot_files", "deltas", "category_aliases", "corrections", "photo_root", "allowed_roots"}
_NOT_THE_MAPPING = _FILES | {"max_removed_share", "max_rejected_share"}


@dataclass(frozen=True)
class Input:
    """What a run reads, and how it stands to what was read before."""

    feeds: Feeds
    mapping: str
    """Digest of all that the config says of how rows are read."""
    known: dict[str, Any]
    """Of the newest catalogue: the mapping, the files of the last snapshot that was read whole, the media table's."""
    overlay: Overlay
    limit: int | None
    """How many items are drawn of what was read; all of them if it is None."""
    now: float
    """When the run began, in seconds since 1970."""
    erased: int = 0
    """The number of the newest entry of the log of erased items."""

    @property
    def snapshot_is_new(self) -> bool:
        """Whether the snapshot's files were never read whole."""
        return bool(self.feeds.of(SNAPSHOT)) and self.feeds.digests(SNAPSHOT) != self.known["snapshot"]

    @property
    def reads_snapshot(self) -> bool:
        """Whether there is anything to learn from the snapshot; what deltas have said since holds."""
        anew = self.mapping != self.known["mapping"] or self.limit != self.known["limit"] or self.erases_anew
        return self.snapshot_is_new or (bool(self.feeds.of(SNAPSHOT)) and anew)

    @property
    def erases_anew(self) -> bool:
        """Whether other items are refused, as erased ones, than when the feeds were last read."""
        return self.erased != self.known["erased"]

    @property
    def is_new(self) -> bool:
        """Whether there is anything to do."""
        media = self.feeds.digests(MEDIA) != self.known["media"]
        said = self.mapping != self.known["mapping"] or self.overlay.digest != self.known["overlay"]
        drawn = self.limit != self.known["limit"]
        return self.reads_snapshot or media or said or drawn or self.erases_anew or bool(self.feeds.of(DELTAS))

    def after(self) -> dict[str, Any]:
        """Return what is known when it is read."""
        return {
            "snapshot": self.feeds.digests(SNAPSHOT) if self.feeds.of(SNAPSHOT) else self.known["snapshot"],
            "mapping": self.mapping,
            "media": self.feeds.digests(MEDIA),
            "overlay": self.overlay.digest,
            "limit": self.limit,
            "erased": self.erased,
        }


def run(context: RunContext) -> StageResult:
    """Read the feeds into a new catalogue. Raises GateError when too many items would vanish, or a snapshot is old.

    What curators have decided by now holds for the whole run.
    """
    name = f"{context.prefix('catalogue')}/curated.json"
    result = _read(context, settle(context.store, name))
    return replace(result, outputs=replace(cast(CatalogueOutputs, result.outputs), curated=name))


def _read(context: RunContext, curated: Curated) -> StageResult:
    log = Log(context.store, "catalogue/log")
    if context.overrides.catalogue is not None:
        return _as_it_was(context, context.overrides.catalogue, log.entry(context.overrides.catalogue))
    number, head = log.head()
    check_photo_folders(context.config)
    if head and head["run_id"] == context.run_id:  # this run was killed after it had appended its catalogue
        was = head["ledger"]
        return _result(number, head, Ledger(was["in"], was["ok"], was["skipped"], was["rejected"], head["rejects"]))
    try:
        found = _find(context, head, curated)
        if head and not found.is_new:
            return _unchanged(context, number, head, NOTHING_NEW, *_still_rejected(head), *found.feeds.notes)
        return _extend(context, log, number, head, found)
    except FeedError as error:
        raise StageError(str(error)) from error


def _find(context: RunContext, head: dict[str, Any], curated: Curated) -> Input:
    section, after = context.config.catalogue, context.overrides.deltas_after
    record = read_record(context.store, head["catalogue_id"]) if head and section.deltas else None
    now = _beginning(context)
    feeds = find_feeds(context.config, now, head.get("positions"), record, after)
    for note in feeds.notes:
        context.progress.warn(f"catalogue: {note}")
    check_columns(section, feeds.files)
    mapping = section.model_dump(mode="json", exclude=_NOT_THE_MAPPING)
    digest = hashlib.sha256(json.dumps(mapping, sort_keys=True).encode()).hexdigest()[:16]
    erased = read_erased(context.store).number
    overlay = read_overlay(context.config, curated)
    return Input(feeds, digest, _known(head), overlay, context.limit, now, erased)


def _known(head: dict[str, Any]) -> dict[str, Any]:
    inputs = head.get("inputs", {})
    if "files" in inputs:  # of an earlier version, whose mapping had fewer keys
        files = {feed: sorted(d for f, d in inputs["files"] if f == feed) for feed in (SNAPSHOT, MEDIA)}
        lacks = {SNAPSHOT: list[str]()} if inputs["limit"] is not None else {}
        return files | {"mapping": "", "overlay": "", "limit": None, "erased": 0} | lacks
    none: dict[str, Any] = {"snapshot": [], "media": [], "mapping": "", "overlay": "", "limit": None, "erased": 0}
    return none | inputs


def _extend(context: RunContext, log: Log, number: int, head: dict[str, Any], found: Input) -> StageResult:
    from pipelines.catalogue.pipeline import Parent, build

    files = [file for file in found.feeds.files if file.feed != SNAPSHOT or found.reads_snapshot]
    written_at = max((file.modified_at for file in files if file.feed == SNAPSHOT), default=None)
    terms = Terms(
        now=found.now,
        snapshot_at=written_at,
        is_new=found.snapshot_is_new or found.limit != found.known["limit"],
        is_mapped_alike=not head or found.mapping == found.known["mapping"],
        has_media=context.config.catalogue.media is not None,
        roles=Roles.of(context.config.catalogue),
    )
    catalogue_id = _catalogue_id(context, head, found)
    parent = Parent(head.get("catalogue_id", ""), DELTAS if DELTAS in head.get("positions", {}) else SNAPSHOT)
    read = catalogue_id if context.limit is None else f"{catalogue_id}-whole"
    summary = build(context, read, parent, files, terms, found.overlay)
    if not summary.rows[SNAPSHOT] and (found.reads_snapshot or not (head or summary.rows[DELTAS])):
        raise StageError(
            f"the feed holds no rows: {', '.join(str(f.file) for f in files)}; nothing was changed. Export it again"
        )
    ledger = summary.ledger()
    check_summary(context, summary, ledger)
    drawn = [] if context.limit is None else _draw(context, head, read, catalogue_id, summary)
    if context.config.catalogue.deltas:
        write_record(context.store, catalogue_id, found.feeds.deltas.record)
    extend_taxonomy(context.store, summary.values, found.overlay.aliases.of_value)
    entry = _entry(context, head, found, catalogue_id, summary, ledger)
    entry["notes"] = drawn + entry["notes"]
    if not log.append(number + 1, entry):
        entry = _overtaken(log.entry(number + 1), entry)
    return _result(number + 1, entry, ledger)


def _draw(context: RunContext, head: dict[str, Any], whole: str, catalogue_id: str, summary: Summary) -> list[str]:
    """Keep a sample of what was read, which the summary counts from here on; return what is to be said of it."""
    context.pin("catalogue", f"catalogue/{catalogue_id}")
    sample = draw(context.store, whole, catalogue_id, context.buckets, context.limit or 0)
    was = changes(context.store, head.get("catalogue_id", ""), catalogue_id, context.buckets)
    for name, count in (was | {"items": sample.items, "photos": sample.photos}).items():
        summary.counts[name] = count
    return list(sample.notes(_fewest_to_learn(context)))


def _fewest_to_learn(context: RunContext) -> int:
    """Return of how many items, with a photo each, a leaf keeps enough to be learned when some are held out."""
    section = context.config.preprocess
    return math.ceil(context.config.train.min_leaf_images / (1 - section.val_share - section.test_share))


def _overtaken(theirs: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a run that was faster, if it read the same into the same. Raises StageError if not."""
    if any(theirs.get(name) != mine[name] for name in ("parent", "inputs", "positions", "counts", "rejects")):
        raise StageError("another run extended the catalogue meanwhile; run again, it starts from that state")
    return theirs


def _entry(
    context: RunContext, head: dict[str, Any], found: Input, catalogue_id: str, summary: Summary, ledger: Ledger
) -> dict[str, Any]:
    notes = [*reject_notes(ledger, summary.examples), *notes_of(summary), *found.feeds.notes]
    notes += look_alikes(summary.values)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "catalogue_id": catalogue_id,
        "parent": head.get("catalogue_id"),
        "positions": _positions(head, found, summary),
        "dated": context.config.catalogue.columns.updated_at is not None,
        "inputs": found.after(),
        "counts": summary.all_counts(),
        "rejects": ledger.rejects,
        "ledger": ledger.counts(),
        "notes": notes,
        "run_id": context.run_id,
        "at": now,
        "accepted": context.accept_reason,
        "absent": absent_since(read_taxonomy(context.store), summary.values, head.get("absent", {}), now),
    }


def _still_rejected(head: dict[str, Any]) -> list[str]:
    """Return what is to be said of rows that were rejected when the feeds were last read."""
    count = sum(head["rejects"].values())
    codes = ", ".join(f"{code} {n}" for code, n in most_frequent_first(head["rejects"]))
    return [f"rejected when they were last read, in run {head['run_id']!r}: {count} ({codes})"] if count else []


def _positions(head: dict[str, Any], found: Input, summary: Summary) -> dict[str, str]:
    """Return how far each feed was read, for people: a snapshot's newest row, the last file of deltas."""
    positions = dict(head.get("positions", {}))
    if found.reads_snapshot and summary.newest_row:
        positions[SNAPSHOT] = datetime.fromtimestamp(summary.newest_row, UTC).isoformat(timespec="microseconds")
    if found.feeds.of(DELTAS):
        positions[DELTAS] = last_delta(found.feeds, positions.get(DELTAS, ""))
    return positions


def _result(number: int, entry: dict[str, Any], ledger: Ledger) -> StageResult:
    outputs = CatalogueOutputs(entry["catalogue_id"], number, entry["positions"])
    return StageResult(ledger, dict(entry["counts"]), outputs, notes=entry.get("notes", []))


def _as_it_was(context: RunContext, number: int, entry: dict[str, Any]) -> StageResult:
    note = f"catalogue {entry['catalogue_id']} is taken as it was, and no feed is read"
    return _unchanged(context, number, entry, note)


def _unchanged(context: RunContext, number: int, entry: dict[str, Any], *notes: str) -> StageResult:
    ensure_leaves(context.store, entry["catalogue_id"], context.buckets)
    counts = {name: entry["counts"][name] for name in ("items", "photos")} | dict.fromkeys(
        ("added", "changed", "removed"), 0
    )
    return _result(number, entry | {"counts": counts, "notes": list(notes)}, Ledger(0, 0))


def _beginning(context: RunContext) -> float:
    """Return when the run began, the same after it was killed: it decides which dates lie in the future."""
    name = f"{context.prefix('catalogue')}/began.json"
    context.store.create_json(name, {"at": round(time.time(), 6)})
    return float(context.store.read_json(name)["at"])


def _catalogue_id(context: RunContext, head: dict[str, Any], found: Input) -> str:
    """Return the name of what is built: the same for the same input, unless another run has begun to build that.

    For the other run began at another time, which decides about dates of the future.
    """
    files = [[f.feed, f.digest, f.path, f.modified_at] for f in found.feeds.files]
    value = [head.get("catalogue_id"), files, found.after()]
    name = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
    claim = f"{context.prefix('catalogue')}/claim-{name}.json"
    if any(True for _ in context.store.list(f"catalogue/{name}")):
        name = hashlib.sha256(f"{name} {context.run_id}".encode()).hexdigest()[:16]
    context.store.create_json(claim, name)
    return str(context.store.read_json(claim))
