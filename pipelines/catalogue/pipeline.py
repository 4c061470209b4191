"""The Beam pipeline of the catalogue stage: rows -> buckets -> merged with the parent -> a new catalogue's tables."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipelines.catalogue.feeds import FeedFile
from pipelines.catalogue.mapping import RejectError, map_media, map_row
from pipelines.catalogue.merge import Arrival, MediaArrival, Merged, Rejected, merge
from pipelines.catalogue.rows import read_rows
from pipelines.catalogue.state import read_state, write_state
from pipelines.catalogue.summary import Summary
from pipelines.config import CatalogueSection
from pipelines.jobs.transforms import CreateEach
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import first_examples
from pipelines.store import Store
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import REJECTS
from pipelines.tables.taxonomy import values_of

ROWS_A_BATCH = 4096
DELTA_TIME_ORDER = 1 << 40


def build(context: RunContext, catalogue_id: str, parent: str, files: list[FeedFile]) -> Summary:
    """Write the tables of a catalogue and return its summary. Raises FeedError when a file cannot be read."""
    store, section = context.store, context.config.catalogue
    name = f"{context.prefix('catalogue')}/summary-{catalogue_id}.json"
    modified_at = max((f.modified_at for f in files if f.feed == "snapshot"), default=None)

    def wire(pipeline: beam.Pipeline) -> None:
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

    context.pin("catalogue", f"catalogue/{catalogue_id}")
    done = f"catalogue/{catalogue_id}/items"
    with context.progress.watch("catalogue: buckets", context.buckets, lambda: sum(1 for _ in store.list(done))):
        context.jobs("catalogue").run(f"merge-{catalogue_id[:8]}", wire)
    return Summary.of_json(store.read_json(name))


def _read_parts(file: FeedFile, section: CatalogueSection, buckets: int, limit: int | None) -> Iterator[Any]:
    batch: dict[int, list[Any]] = {}
    size, newest = 0, 0.0
    for row in read_rows(file.file, section.delimiter):
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
    source = f"{file.file.name}:{number}"
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
        media = sorted((r for r in records if isinstance(r, MediaArrival)), key=lambda m: _place(m.source))
        parent, deletes = read_state(self.store, self.parent, bucket)
        merged = merge(parent, deletes, arrivals, media, snapshot_time)
        rejects = [r for r in records if isinstance(r, Rejected)] + merged.rejects
        rejects = sorted(rejects, key=lambda r: (_place(r.source), r.code))
        table = pa.Table.from_pylist([asdict(r) for r in rejects], REJECTS)
        write_bucket(self.store, f"catalogue/{self.catalogue_id}/rejects", bucket, table)
        items, photos = write_state(self.store, self.catalogue_id, bucket, merged.items, merged.deletes)
        counts = {"items": items, "photos": photos, "added": merged.added, "changed": merged.changed}
        counts |= {"removed": merged.deleted, "parent_items": len(parent)}
        return _summary(len(records), merged, rejects, Counter(counts), parent, snapshot_time)


def _place(source: str) -> tuple[str, int]:
    file, _, number = source.rpartition(":")
    return file, int(number)


def _summary(
    rows: int,
    merged: Merged,
    rejects: list[Rejected],
    counts: Counter[str],
    parent: dict[str, Any],
    snapshot_time: float | None,
) -> Summary:
    examples: dict[str, str] = {}
    for reject in rejects:
        examples = first_examples(examples, {reject.code: f"{reject.source}: {reject.detail}"})
    return Summary(
        rows,
        merged.ok,
        merged.skipped,
        Counter(r.code for r in rejects),
        examples,
        counts,
        merged.removed,
        Counter(item.category[0] for item in parent.values()),
        sorted({v for item in merged.items.values() for v in values_of(item.category)}),
        snapshot_time,
    )


def _add_up(summaries: Iterable[Summary]) -> Summary:
    return reduce(lambda a, b: a + b, summaries, Summary())
