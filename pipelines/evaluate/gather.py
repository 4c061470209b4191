"""Beam: sample the queries, lay the gallery out, fetch the queries' vectors, look labels up.

Owns the wiring; the work itself is in pure functions of sibling modules. Shuffles carry keys, never images or vectors
but those of the queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate import gallery, queries
from pipelines.evaluate.labels import LABELS, labels_of
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.vectors import OUTPUTS, read_outputs
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.tables.arrow import from_ipc, index_of
from pipelines.tables.buckets import partition

HELD_OUT, ANY, LINKS, FOLDS = "held_out", "any", "links", "folds"
OWNERS = pa.schema([("digest", pa.binary(32)), ("item_id", pa.string())])
ITEM_IDS = pa.schema([("item_id", pa.string())])


def sample_and_lay_out(jobs: Jobs, sources: Sources) -> None:
    """Write the queries' candidates, the gallery by bucket of digest, and how many results every category has."""

    def build(pipeline: beam.Pipeline) -> None:
        parts = (
            pipeline
            | "ItemBuckets" >> CreateEach(range(sources.buckets))
            | "ReadItems" >> beam.FlatMap(partial(_read_items, sources)).with_outputs(HELD_OUT, ANY, LINKS, FOLDS)
        )
        for tag in (HELD_OUT, ANY):
            sampled = parts[tag] | f"Sample_{tag}" >> beam.CombineGlobally(partial(_lowest, sources.count))
            sampled | f"Write_{tag}" >> beam.Map(partial(sources.put_table, tag))
        placed = parts[LINKS] | "ByDigest" >> beam.GroupByKey() | "Place" >> beam.MapTuple(partial(_place, sources))
        _sum_into(sources, "gallery_size", placed)
        folds = parts[FOLDS] | "ByFold" >> beam.GroupByKey() | "OfFold" >> beam.Values()
        relevant = folds | "Count" >> beam.Map(_count)
        _sum_into(sources, "relevant", relevant)

    jobs.run("sample", build)


def fetch_queries(jobs: Jobs, sources: Sources, digests: Sequence[bytes]) -> None:
    """Write the queries' vectors, which items of the gallery show the same photos, and which are of the test split."""
    wanted = pa.array(sorted(digests), pa.binary(32))

    def build(pipeline: beam.Pipeline) -> None:
        buckets = pipeline | "Buckets" >> CreateEach(range(sources.buckets))
        units = buckets | "Locate" >> beam.FlatMap(partial(_locate, sources, wanted)) | "ByUnit" >> beam.GroupByKey()
        vectors = units | "ReadVectors" >> beam.MapTuple(partial(_fetch, sources))
        _write_all(sources, "query_vectors", OUTPUTS, vectors)
        _write_all(sources, "owners", OWNERS, buckets | "Owners" >> beam.Map(partial(_owners, sources, wanted)))
        _write_all(sources, "test_items", ITEM_IDS, buckets | "TestItems" >> beam.Map(partial(_test_items, sources)))

    jobs.run("queries", build)


def look_up(jobs: Jobs, sources: Sources, item_ids: Iterable[str]) -> pa.Table:
    """Return the labels of items, as `LABELS`."""
    wanted = pa.table([pa.array(sorted(set(item_ids)), pa.string())], schema=ITEM_IDS)

    def build(pipeline: beam.Pipeline) -> None:
        ids = pipeline | "Ids" >> CreateEach(partition(wanted, "item_id", sources.buckets))
        _write_all(sources, "labels", LABELS, ids | "Label" >> beam.MapTuple(partial(_label, sources)))

    jobs.run("look-up", build)
    return sources.table("labels")


def _read_items(sources: Sources, bucket: int) -> Iterator[Any]:
    photos = sources.active(bucket)
    for tag in (HELD_OUT, ANY):
        chosen = queries.candidates(
            photos, sources.roles, sources.gallery_roles, sources.count, held_out=tag == HELD_OUT
        )
        yield beam.pvalue.TaggedOutput(tag, chosen)
    links = gallery.links_of(photos, sources.gallery_roles, sources.unit)
    for part in partition(links, "digest", sources.buckets):
        yield beam.pvalue.TaggedOutput(LINKS, part)
    for part in partition(gallery.folds_of(photos, links), "fold", sources.buckets):
        yield beam.pvalue.TaggedOutput(FOLDS, part)


def _lowest(count: int, tables: Iterable[pa.Table]) -> pa.Table:
    return queries.lowest(tables, count)


def _place(sources: Sources, bucket: int, parts: Iterable[bytes]) -> Counter[str]:
    placed = gallery.placed(from_ipc(parts, gallery.LINKS), sources.stored_vectors(bucket), bucket)
    sources.put_table(f"gallery/{bucket:05d}", placed)
    return Counter(photos=pc.count_distinct(placed["digest"]).as_py())


def _count(parts: Iterable[bytes]) -> Counter[str]:
    everywhere, kept = gallery.count_relevant(from_ipc(parts, gallery.FOLDS))
    return Counter(
        {f"all:{path}": n for path, n in everywhere.items()} | {f"kept:{path}": n for path, n in kept.items()}
    )


def _locate(sources: Sources, wanted: pa.Array, bucket: int) -> Iterator[tuple[tuple[str, str], int]]:
    vectors = sources.stored_vectors(bucket)
    vectors = vectors.filter(pc.and_(pc.equal(vectors["code"], ""), pc.is_in(vectors["digest"], value_set=wanted)))
    for row in vectors.to_pylist():
        yield (row["model_id"], row["unit_id"]), row["row"]


def _fetch(sources: Sources, unit: tuple[str, str], rows: Iterable[int]) -> pa.Table:
    return read_outputs(sources.store, sources.space_id, *unit, sorted(rows))


def _owners(sources: Sources, wanted: pa.Array, bucket: int) -> pa.Table:
    table = sources.gallery(bucket).select(OWNERS.names)
    return table.filter(pc.is_in(table["digest"], value_set=wanted))


def _test_items(sources: Sources, bucket: int) -> pa.Table:
    table = sources.gallery(bucket)
    return table.filter(table["test"]).select(ITEM_IDS.names).group_by("item_id").aggregate([])


def _label(sources: Sources, bucket: int, wanted: bytes) -> pa.Table:
    photos = sources.active(bucket)
    asked = from_ipc([wanted], ITEM_IDS)["item_id"]
    photos = photos.filter(pa.array(index_of(photos["item_id"], asked) >= 0))
    return labels_of(photos, sources.gallery_roles, sources.unit)


def _write_all(sources: Sources, name: str, schema: pa.Schema, tables: beam.PCollection[pa.Table]) -> None:
    merged = tables | f"Merge_{name}" >> beam.CombineGlobally(partial(_concatenated, schema))
    merged | f"Write_{name}" >> beam.Map(partial(sources.put_table, name))


def _concatenated(schema: pa.Schema, tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def _sum_into(sources: Sources, name: str, counts: beam.PCollection[Counter[str]]) -> None:
    total = counts | f"Sum_{name}" >> beam.CombineGlobally(_summed)
    total | f"Write_{name}" >> beam.Map(partial(sources.put_counts, name))


def _summed(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total
