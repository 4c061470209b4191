"""The catalogue stage: merge the feed files with the newest catalogue in Beam, and append the new one to the log."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipelines.beam import CreateEach, run_pipeline
from pipelines.catalogue.feeds import FeedFile, check_columns, find_files, read_positions
from pipelines.catalogue.mapping import RejectError, map_media, map_row
from pipelines.catalogue.merging import Arrival, MediaArrival, Rejected, merge
from pipelines.catalogue.reading import FeedError, read_rows
from pipelines.catalogue.state import read_state, write_state
from pipelines.config import CatalogueSection
from pipelines.stage import GateError, Ledger, RunContext, StageError, StageResult
from pipelines.store import Log, Store
from pipelines.tables import REJECTS, bucket_of, read_parquet, write_bucket
from pipelines.taxonomy import extend_taxonomy, values_of

ROWS_A_BATCH = 4096
DELTA_TIME_ORDER = 1 << 40

Part = tuple[int, bytes]


@dataclass
class Summary:
    """What became of the rows of some buckets; summaries add up."""

    total: int = 0
    ok: int = 0
    skipped: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    parent_by_category: Counter[str] = field(default_factory=Counter)
    values: list[tuple[str, str]] = field(default_factory=list)
    snapshot_time: float | None = None

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.total + other.total,
            self.ok + other.ok,
            self.skipped + other.skipped,
            self.rejects + other.rejects,
            self.counts + other.counts,
            self.removed + other.removed,
            self.parent_by_category + other.parent_by_category,
            sorted({*self.values, *other.values}),
            self.snapshot_time or other.snapshot_time,
        )


def run(context: RunContext) -> StageResult:
    """Read the feeds into a new catalogue. Raises GateError when a snapshot removes more items than is allowed."""
    log = Log(context.store, "catalogue/log")
    number, head = log.head()
    try:
        files = find_files(context.config, head.get("positions", {}))
        check_columns(context.config, files)
    except FeedError as error:
        raise StageError(str(error)) from error
    catalogue_id = _catalogue_id(context, head, files)
    if head and not any(f.feed == "deltas" for f in files) and head["inputs"] == _inputs(context, files):
        return _unchanged(head)
    try:
        summary = _build(context, catalogue_id, head.get("catalogue_id", ""), files)
    except FeedError as error:
        raise StageError(str(error)) from error
    if not summary.total:
        raise StageError(f"the feed holds no rows: {', '.join(f.path for f in files)}; nothing was changed")
    ledger = Ledger(summary.total, summary.ok, summary.skipped, sum(summary.rejects.values()), dict(summary.rejects))
    ledger.check_share("catalogue", context.config.catalogue.max_rejected_share)
    if not summary.counts["items"]:
        raise StageError("no item is left in the catalogue; nothing was changed")
    _check_removals(context, summary)
    positions = head.get("positions", {}) | read_positions(files, summary.snapshot_time)
    _check_order(context, head.get("positions", {}), positions)
    extend_taxonomy(context.store, ((kind, value) for kind, value in summary.values))
    entry = {
        "catalogue_id": catalogue_id,
        "parent": head.get("catalogue_id"),
        "positions": positions,
        "inputs": _inputs(context, files),
        "counts": dict(summary.counts),
        "rejects": ledger.rejects,
        "ledger": ledger.counts(),
        "run_id": context.run_id,
        "accepted": context.accept_reason,
    }
    if not log.append(number + 1, entry) and log.entry(number + 1)["catalogue_id"] != catalogue_id:
        raise StageError("another run extended the catalogue meanwhile; run again, it starts from that state")
    return _result(entry, ledger, [])


def _result(entry: dict[str, Any], ledger: Ledger, notes: list[str]) -> StageResult:
    outputs = {"catalogue_id": entry["catalogue_id"], "positions": entry["positions"]}
    return StageResult(ledger, dict(entry["counts"]), outputs, notes=notes)


def _unchanged(head: dict[str, Any]) -> StageResult:
    counts = {name: head["counts"][name] for name in ("items", "photos")} | dict.fromkeys(
        ("added", "changed", "removed"), 0
    )
    return _result(
        head | {"counts": counts}, Ledger(0, 0), ["the feeds hold nothing new: the catalogue stays as it is"]
    )


def _inputs(context: RunContext, files: list[FeedFile]) -> dict[str, Any]:
    section = context.config.catalogue.model_dump(
        mode="json", include={"columns", "media", "default_role", "split_names"}
    )
    return {
        "files": sorted([f.feed, f.digest] for f in files if f.feed != "deltas"),
        "mapping": section,
        "limit": context.limit,
    }


def _catalogue_id(context: RunContext, head: dict[str, Any], files: list[FeedFile]) -> str:
    value = [head.get("catalogue_id"), [[f.feed, f.digest, Path(f.path).name] for f in files], _inputs(context, files)]
    times = [f.modified_at for f in files]
    return hashlib.sha256(json.dumps([value, times], sort_keys=True).encode()).hexdigest()[:16]


def _build(context: RunContext, catalogue_id: str, parent: str, files: list[FeedFile]) -> Summary:
    """Run the Beam pipeline: rows -> buckets -> merged state; return its summary."""
    store = context.store
    name = f"{context.prefix('catalogue')}/summary-{catalogue_id}.json"
    section = context.config.catalogue
    modified_at = max((f.modified_at for f in files if f.feed == "snapshot"), default=None)

    def build(pipeline: beam.Pipeline) -> None:
        rows = (
            pipeline
            | "Files" >> CreateEach(files)
            | "ReadRows"
            >> beam.FlatMap(_read_parts, section, context.buckets, context.limit).with_outputs("times", main="parts")
        )
        newest = rows.times | "NewestRow" >> beam.CombineGlobally(_newest)
        every = pipeline | "Buckets" >> beam.Create([(bucket, b"") for bucket in range(context.buckets)])
        _ = (
            (rows.parts, every)
            | beam.Flatten()
            | beam.GroupByKey()
            | "MergeBuckets"
            >> beam.Map(_MergeBucket(store, catalogue_id, parent, modified_at), beam.pvalue.AsSingleton(newest))
            | "AddUp" >> beam.CombineGlobally(_add_up)
            | "KeepSummary" >> beam.Map(lambda summary: store.put(name, json.dumps(vars(summary)).encode()))
        )

    done = f"catalogue/{catalogue_id}/items"
    with context.progress.watch("catalogue: buckets", context.buckets, lambda: sum(1 for _ in store.list(done))):
        run_pipeline(context.config.beam, build)
    kept = store.read_json(name)
    counters: dict[str, Any] = {
        key: Counter(kept.pop(key)) for key in ("rejects", "counts", "removed", "parent_by_category")
    }
    return Summary(**kept, **counters)


def _read_parts(file: FeedFile, section: CatalogueSection, buckets: int, limit: int | None) -> Iterator[Any]:
    batch: dict[int, list[Any]] = {}
    size, newest = 0, 0.0
    for row in read_rows(Path(file.path), section.delimiter):
        if limit is not None and row.number > limit and file.feed == "snapshot":
            break
        record = _record(file, row.number, row.values, section, row.code, row.detail)
        item_id = record.item.item_id if isinstance(record, Arrival) else record.item_id
        batch.setdefault(bucket_of(item_id, buckets), []).append(record)
        if isinstance(record, Arrival) and record.feed == "snapshot":
            newest = max(newest, record.item.updated_at)
        size += 1
        if size == ROWS_A_BATCH:
            yield from ((bucket, pickle.dumps(rows)) for bucket, rows in batch.items())
            batch, size = {}, 0
    yield from ((bucket, pickle.dumps(rows)) for bucket, rows in batch.items())
    yield beam.pvalue.TaggedOutput("times", newest)


def _unpack(part: bytes) -> list[Any]:
    records: list[Any] = pickle.loads(part)  # noqa: S301 - packed a moment ago by _read_parts of the same pipeline
    return records


def _newest(times: Iterable[float]) -> float:
    return max(times, default=0.0)


def _record(
    file: FeedFile, number: int, values: dict[str, Any], section: CatalogueSection, code: str, detail: str
) -> Arrival | MediaArrival | Rejected:
    source = f"{Path(file.path).name}:{number}"
    try:
        if code:
            raise RejectError(code, detail)
        if file.feed == "media" and section.media:
            return MediaArrival(source, *map_media(values, section.media, section.split_names))
        return Arrival(
            file.order * DELTA_TIME_ORDER + number, source, file.feed, map_row(values, section, file.modified_at)
        )
    except RejectError as error:
        return Rejected(source, error.item_id, "", error.code, error.detail)


@dataclass(frozen=True)
class _MergeBucket:
    """Merges one bucket with the parent's and writes it; called on workers."""

    store: Store
    catalogue_id: str
    parent: str
    snapshot_modified_at: float | None

    def __call__(self, group: tuple[int, Iterable[bytes]], newest_row: float) -> Summary:
        bucket, parts = group
        snapshot_time = (newest_row or self.snapshot_modified_at) if self.snapshot_modified_at else None
        records = [record for part in parts if part for record in _unpack(part)]
        arrivals = [r for r in records if isinstance(r, Arrival)]
        media = sorted(
            (r for r in records if isinstance(r, MediaArrival)),
            key=lambda m: (m.source.split(":")[0], len(m.source), m.source),
        )
        rejects = [r for r in records if isinstance(r, Rejected)]
        parent, deletes = read_state(self.store, self.parent, bucket)
        merged = merge(parent, deletes, arrivals, media, snapshot_time)
        rejects = sorted([*rejects, *merged.rejects], key=lambda r: (r.source, r.code))
        write_bucket(
            self.store,
            f"catalogue/{self.catalogue_id}/rejects",
            bucket,
            pa.Table.from_pylist([asdict(r) for r in rejects], REJECTS),
        )
        items, photos = write_state(self.store, self.catalogue_id, bucket, merged.items, merged.deletes)
        counts = {"items": items, "photos": photos, "added": merged.added, "changed": merged.changed}
        counts |= {"removed": merged.deleted, "parent_items": len(parent)}
        return Summary(
            len(records),
            merged.ok,
            merged.skipped,
            Counter(r.code for r in rejects),
            Counter(counts),
            merged.removed,
            Counter(item.category[0] for item in parent.values()),
            sorted({v for item in merged.items.values() for v in values_of(item.category, item.attributes)}),
            snapshot_time,
        )


def _add_up(summaries: Iterable[Summary]) -> Summary:
    return reduce(lambda a, b: a + b, summaries, Summary())


def _check_order(context: RunContext, before: dict[str, str], now: dict[str, str]) -> None:
    old, new = before.get("snapshot", ""), now.get("snapshot", "")
    if new < old and not context.accept_reason:
        raise GateError(
            f"the snapshot is of {new}, older than the one already read ({old}); nothing was changed. "
            "If this is right, run again with --accept 'REASON'"
        )


def _check_removals(context: RunContext, summary: Summary) -> None:
    removed, before = sum(summary.removed.values()), summary.counts["parent_items"]
    limit = context.config.catalogue.max_removed_share
    if not before or removed / before <= limit or context.accept_reason:
        return
    lines = [f"  {name}: {n} of {summary.parent_by_category[name]}" for name, n in summary.removed.most_common(10)]
    raise GateError(
        f"the snapshot removes {removed} of {before} items ({removed / before:.1%}), "
        f"over catalogue.max_removed_share = {limit:.1%}; nothing was changed. By category:\n"
        + "\n".join(lines)
        + "\nIf this is right, run again with --accept 'REASON'"
    )


def rejected_rows(store: Store, catalogue_id: str) -> pa.Table:
    """Return the catalogue's rejected rows (REJECTS). Raises NotFoundError."""
    names = sorted(e.name for e in store.list(f"catalogue/{catalogue_id}/rejects"))
    return pa.concat_tables([read_parquet(store, name) for name in names]) if names else REJECTS.empty_table()
