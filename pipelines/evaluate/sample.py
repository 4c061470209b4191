"""The first look at the catalogue: the queries' candidates, the gallery by bucket, what there is to find.

One Beam pipeline that reads every bucket once; the work itself is in pure functions of `queries` and `gallery`.
Shuffles carry keys, never images or vectors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate import gallery, queries
from pipelines.evaluate.labels import few_of_each, labels_of
from pipelines.evaluate.sources import Sources, write_sum
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.tables.arrow import from_ipc
from pipelines.tables.buckets import partition

HELD_OUT, ANY, LINKS, FOLDS, LEAVES, SAMPLE = "held_out", "any", "links", "folds", "leaves", "leaf_sample"
TAGS = (HELD_OUT, ANY, LINKS, FOLDS, LEAVES, SAMPLE)


def sample_and_lay_out(jobs: Jobs, sources: Sources) -> None:
    """Write the queries' candidates, the gallery by bucket, how many results each leaf has, and a few of them."""

    def build(pipeline: beam.Pipeline) -> None:
        parts = (
            pipeline
            | "ItemBuckets" >> CreateEach(range(sources.buckets))
            | "ReadItems" >> beam.FlatMap(partial(_read_items, sources)).with_outputs(*TAGS)
        )
        write_sum(sources, LEAVES, parts[LEAVES])
        some = parts[SAMPLE] | "FewOfEach" >> beam.CombineGlobally(few_of_each)
        some | "WriteFew" >> beam.Map(partial(sources.put_table, SAMPLE))
        for tag in (HELD_OUT, ANY):
            sampled = parts[tag] | f"Sample_{tag}" >> beam.CombineGlobally(partial(_narrowed, sources.count))
            sampled | f"Write_{tag}" >> beam.Map(partial(sources.put_table, tag))
        placed = parts[LINKS] | "ByDigest" >> beam.GroupByKey() | "Place" >> beam.MapTuple(partial(_place, sources))
        write_sum(sources, "gallery_size", placed)
        folds = parts[FOLDS] | "ByFold" >> beam.GroupByKey() | "OfFold" >> beam.Values()
        write_sum(sources, "relevant", folds | "Count" >> beam.Map(_count))

    jobs.run("sample", build)


def _read_items(sources: Sources, bucket: int) -> Iterator[Any]:
    photos = sources.active(bucket)
    for tag in (HELD_OUT, ANY):
        chosen, counts = queries.candidates(
            photos, sources.roles, sources.gallery_roles, sources.count, held_out=tag == HELD_OUT
        )
        yield beam.pvalue.TaggedOutput(tag, chosen)
        yield beam.pvalue.TaggedOutput(LEAVES, Counter({f"{tag}:{leaf}": n for leaf, n in counts.items()}))
    links = gallery.links_of(photos, sources.gallery_roles, sources.unit)
    for part in partition(links, "digest", sources.buckets):
        yield beam.pvalue.TaggedOutput(LINKS, part)
    yield beam.pvalue.TaggedOutput(
        SAMPLE, few_of_each([labels_of(_learnable(photos), sources.gallery_roles, sources.unit)])
    )
    for part in partition(gallery.folds_of(photos, links), "fold", sources.buckets):
        yield beam.pvalue.TaggedOutput(FOLDS, part)


def _learnable(photos: pa.Table) -> pa.Table:
    return photos.filter(pc.fill_null(pc.not_equal(photos["split"], queries.TEST), True))


def _narrowed(count: int, tables: Iterable[pa.Table]) -> pa.Table:
    return queries.narrowed(tables, count)


def _place(sources: Sources, bucket: int, parts: Iterable[bytes]) -> Counter[str]:
    placed = gallery.placed(from_ipc(parts, gallery.LINKS), sources.stored_vectors(bucket), bucket)
    sources.put_table(f"gallery/{bucket:05d}", placed)
    return Counter(photos=pc.count_distinct(placed["digest"]).as_py())


def _count(parts: Iterable[bytes]) -> Counter[str]:
    everywhere, kept = gallery.count_relevant(from_ipc(parts, gallery.FOLDS))
    return Counter(
        {f"all:{path}": n for path, n in everywhere.items()} | {f"kept:{path}": n for path, n in kept.items()}
    )
