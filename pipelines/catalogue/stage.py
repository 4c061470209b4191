"""The catalogue stage: merge the feed files with the newest catalogue, check the result, append it to the log."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from pipelines.catalogue.feeds import FeedFile, check_columns, find_files, read_positions
from pipelines.catalogue.leaves import ensure_leaves
from pipelines.catalogue.pipeline import build
from pipelines.catalogue.rows import FeedError
from pipelines.catalogue.summary import Summary, check_order, check_summary
from pipelines.errors import StageError
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import check_photo_folder, reject_notes
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.outputs import CatalogueOutputs
from pipelines.store import Log
from pipelines.tables.taxonomy import extend_taxonomy, look_alikes


def run(context: RunContext) -> StageResult:
    """Read the feeds into a new catalogue. Raises GateError when a snapshot removes more items than is allowed."""
    log = Log(context.store, "catalogue/log")
    if context.overrides.catalogue is not None:
        return _as_it_was(context, context.overrides.catalogue, log.entry(context.overrides.catalogue))
    number, head = log.head()
    check_photo_folder(context.config)
    if head and head["run_id"] == context.run_id:  # this run was killed after it had appended its catalogue
        was = head["ledger"]
        return _result(number, head, Ledger(was["in"], was["ok"], was["skipped"], was["rejected"], head["rejects"]))
    try:
        files = find_files(context.config, head.get("positions", {}), context.overrides.deltas_after)
        check_columns(context.config, files)
        if head and not any(f.feed == "deltas" for f in files) and head["inputs"] == _inputs(context, files):
            return _unchanged(context, number, head, "the feeds hold nothing new: the catalogue stays as it is")
        catalogue_id = _catalogue_id(context, head, files)
        summary = build(context, catalogue_id, head.get("catalogue_id", ""), files)
    except FeedError as error:
        raise StageError(str(error)) from error
    if not summary.total and (not head or any(f.feed == "snapshot" for f in files)):
        raise StageError(
            f"the feed holds no rows: {', '.join(str(f.file) for f in files)}; nothing was changed. Export it again"
        )
    ledger = summary.ledger()
    check_summary(context, summary, ledger)
    entry = _entry(context, head, files, catalogue_id, summary, ledger)
    check_order(context, head.get("positions", {}), entry["positions"])
    extend_taxonomy(context.store, ((kind, value) for kind, value in summary.values))
    if not log.append(number + 1, entry) and log.entry(number + 1)["catalogue_id"] != catalogue_id:
        raise StageError("another run extended the catalogue meanwhile; run again, it starts from that state")
    return _result(number + 1, entry, ledger)


def _entry(
    context: RunContext,
    head: dict[str, Any],
    files: list[FeedFile],
    catalogue_id: str,
    summary: Summary,
    ledger: Ledger,
) -> dict[str, Any]:
    return {
        "catalogue_id": catalogue_id,
        "parent": head.get("catalogue_id"),
        "positions": read_positions(files, summary.snapshot_time, head.get("positions", {})),
        "inputs": _inputs(context, files),
        "counts": summary.all_counts(),
        "rejects": ledger.rejects,
        "ledger": ledger.counts(),
        "notes": reject_notes(ledger, summary.examples) + look_alikes(summary.values),
        "run_id": context.run_id,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "accepted": context.accept_reason,
    }


def _result(number: int, entry: dict[str, Any], ledger: Ledger) -> StageResult:
    outputs = CatalogueOutputs(entry["catalogue_id"], number, entry["positions"])
    return StageResult(ledger, dict(entry["counts"]), outputs, notes=entry.get("notes", []))


def _as_it_was(context: RunContext, number: int, entry: dict[str, Any]) -> StageResult:
    return _unchanged(
        context, number, entry, f"catalogue {entry['catalogue_id']} is taken as it was, and no feed is read"
    )


def _unchanged(context: RunContext, number: int, entry: dict[str, Any], note: str) -> StageResult:
    ensure_leaves(context.store, entry["catalogue_id"], context.buckets)
    counts = {name: entry["counts"][name] for name in ("items", "photos")} | dict.fromkeys(
        ("added", "changed", "removed"), 0
    )
    return _result(number, entry | {"counts": counts, "notes": [note]}, Ledger(0, 0))


def _inputs(context: RunContext, files: list[FeedFile]) -> dict[str, Any]:
    section = context.config.catalogue.model_dump(
        mode="json", include={"columns", "media", "default_role", "split_names", "delimiter"}
    )
    return {
        "files": sorted([f.feed, f.digest] for f in files if f.feed != "deltas"),
        "mapping": section,
        "limit": context.limit,
    }


def _catalogue_id(context: RunContext, head: dict[str, Any], files: list[FeedFile]) -> str:
    value = [head.get("catalogue_id"), [[f.feed, f.digest, f.file.name] for f in files], _inputs(context, files)]
    times = [f.modified_at for f in files]
    return hashlib.sha256(json.dumps([value, times], sort_keys=True).encode()).hexdigest()[:16]
