"""The Beam pipeline of the catalogue stage: rows -> buckets -> merged with the parent -> a new catalogue's tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipelines.catalogue.arrivals import Arrival, MediaArrival, Mention, Rejected, Rows
from pipelines.catalogue.feeds import FeedFile
from pipelines.catalogue.merge import Merged, Terms, merge
from pipelines.catalogue.overlay import Overlay
from pipelines.catalogue.records import CUT_OFF, Reader, unpacked
from pipelines.catalogue.state import State, read_state, write_state
from pipelines.catalogue.summary import Summary
from pipelines.hidden.erased import read_erased
from pipelines.jobs.transforms import CreateEach
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import first_examples
from pipelines.store import Store
from pipelines.tables.buckets import write_bucket
from pipelines.tables.schemas import REJECTS
from pipelines.tables.taxonomy import values_of


@dataclass(frozen=True)
class Parent:
    """The catalogue that is extended, "" for none; `feed` is whose its items count as where it does not tell."""

    catalogue_id: str
    feed: str


def build(
    context: RunContext,
    catalogue_id: str,
    parent: Parent,
    files: Iterable[FeedFile],
    terms: Terms,
    overlay: Overlay,
) -> Summary:
    """Write the tables of a catalogue and return its summary. Raises FeedError when a file cannot be read.

    `terms.snapshot_at` is when the snapshot was written; the newest of its rows may say that it is of before.
    """
    store = context.store
    name = f"{context.prefix('catalogue')}/summary-{catalogue_id}.json"
    reader = Reader(context.config.catalogue, context.buckets, terms.now, erased=read_erased(store))
    merge_bucket = _MergeBucket(store, catalogue_id, parent, terms, overlay.by_bucket(context.buckets))

    def wire(pipeline: beam.Pipeline) -> None:
        rows = (
            pipeline
            | "Files" >> CreateEach(files)
            | "ReadRows" >> beam.FlatMap(_tagged, reader).with_outputs("summaries", main="parts")
        )
        of_files = rows.summaries | "AddUpFiles" >> beam.CombineGlobally(_add_up)
        every = pipeline | "Buckets" >> beam.Create([(bucket, b"") for bucket in range(context.buckets)])
        of_buckets = (
            (rows.parts, every)
            | "Parts" >> beam.Flatten()
            | beam.GroupByKey()
            | "MergeBuckets" >> beam.Map(merge_bucket, beam.pvalue.AsSingleton(of_files))
        )
        _ = (
            (of_files, of_buckets)
            | "Summaries" >> beam.Flatten()
            | "AddUp" >> beam.CombineGlobally(_add_up)
            | "KeepSummary" >> beam.Map(lambda summary: store.put(name, json.dumps(vars(summary)).encode()))
        )

    context.pin("catalogue", f"catalogue/{catalogue_id}")
    done = f"catalogue/{catalogue_id}/items"
    with context.progress.watch("catalogue: buckets", context.buckets, lambda: sum(1 for _ in store.list(done))):
        context.jobs("catalogue").run(f"merge-{catalogue_id[:8]}", wire)
    return Summary.of_json(store.read_json(name))


def _tagged(file: FeedFile, reader: Reader) -> Iterator[Any]:
    for part in reader(file):
        yield beam.pvalue.TaggedOutput("summaries", part) if isinstance(part, Summary) else part


@dataclass(frozen=True)
class _MergeBucket:
    """Merges one bucket with the parent's and writes it; called on workers."""

    store: Store
    catalogue_id: str
    parent: Parent
    terms: Terms
    overlays: list[Overlay]

    def __call__(self, group: tuple[int, Iterable[bytes]], of_files: Summary) -> Summary:
        bucket, parts = group
        terms, newest = self.terms, of_files.newest_row
        if terms.snapshot_at is not None and newest:
            terms = replace(terms, snapshot_at=min(terms.snapshot_at, newest))
        if of_files.remarks[CUT_OFF]:
            terms = replace(terms, is_whole=False)
        rows = _sorted_out(record for part in parts if part for record in unpacked(part))
        parent = read_state(self.store, self.parent.catalogue_id, bucket, self.parent.feed)
        merged = merge(parent, rows, terms, self.overlays[bucket])
        rejects = sorted(merged.rejects, key=lambda r: (_place(r.source), r.code))
        table = pa.Table.from_pylist([asdict(r) for r in rejects], REJECTS)
        write_bucket(self.store, f"catalogue/{self.catalogue_id}/rejects", bucket, table)
        items, photos = write_state(self.store, self.catalogue_id, bucket, merged.state)
        merged.counts.update(items=items, photos=photos)
        return _summary(rows, merged, rejects, parent)


def _sorted_out(records: Iterable[Arrival | MediaArrival | Rejected | Mention]) -> Rows:
    rows = Rows()
    for record in records:
        if isinstance(record, Arrival):
            rows.arrivals.append(record)
        elif isinstance(record, MediaArrival):
            rows.media.append(record)
        elif isinstance(record, Rejected):
            rows.rejected.append(record)
        else:
            rows.mentions.append(record)
    rows.media.sort(key=lambda row: _place(row.source))
    return rows


def _place(source: str) -> tuple[str, int]:
    file, _, number = source.rpartition(":")
    return file, int(number)


def _summary(rows: Rows, merged: Merged, rejects: list[Rejected], parent: State) -> Summary:
    examples: dict[str, str] = {}
    for reject in rejects:
        examples = first_examples(examples, {reject.code: f"{reject.source}: {reject.detail}"})
    before, after = parent.shown(), merged.state.shown()
    values = {v for held in after.values() for v in values_of(held.shown.category)}
    merged.counts.update(parent_items=len(before), removed=merged.removed.total())
    return Summary(
        total=len(rows.arrivals) + len(rows.media) + len(rows.rejected),
        ok=merged.ok,
        skipped=merged.skipped,
        rejects=Counter(r.code for r in rejects),
        examples=examples,
        counts=merged.counts,
        removed=merged.removed,
        parent_by_category=Counter(held.shown.category[0] for held in before.values()),
        values=sorted(values),
        kept_example=merged.kept_example,
        remarks=merged.remarks.counts,
        remarked=merged.remarks.examples,
    )


def _add_up(summaries: Iterable[Summary]) -> Summary:
    return reduce(lambda a, b: a + b, summaries, Summary())
