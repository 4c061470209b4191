"""Beam: exact search of the queries in the whole gallery, unit by unit, merged by block of queries.

Owns the wiring; a worker holds one unit of vectors and one block of queries' scores at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate.gallery import NUMBER_BITS
from pipelines.evaluate.scan import Scan, Tops, merge_tops, scan_unit
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.vectors import read_embeddings
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach


def search_exactly(jobs: Jobs, sources: Sources, scan: Scan) -> Tops:
    """Search the whole gallery, and return the best of every query."""

    def build(pipeline: beam.Pipeline) -> None:
        rows = (
            pipeline | "Gallery" >> CreateEach(range(sources.buckets)) | "Rows" >> beam.FlatMap(partial(_rows, sources))
        )
        tops = rows | "ByUnit" >> beam.GroupByKey() | "Scan" >> beam.FlatMapTuple(partial(_scan, sources, scan))
        merged = tops | "Merge" >> beam.CombinePerKey(merge_tops)
        merged | "Write" >> beam.MapTuple(partial(_write, sources))

    jobs.run("scan", build)
    return Tops.stacked([Tops.from_bytes(sources.store.read(_name(sources, block))) for block in range(scan.blocks)])


def resolve_numbers(sources: Sources, numbers: Iterable[int]) -> dict[int, tuple[bytes, str]]:
    """Return the photo and the item of gallery rows, by number; reads one bucket after another."""
    found: dict[int, tuple[bytes, str]] = {}
    places: dict[int, list[int]] = {}
    for number in sorted(set(numbers)):
        places.setdefault(number >> NUMBER_BITS, []).append(number & ((1 << NUMBER_BITS) - 1))
    for bucket, rows in places.items():
        table = sources.gallery(bucket).select(["number", "digest", "item_id"]).take(rows)
        for number, digest, item_id in zip(*(column.to_pylist() for column in table.columns), strict=True):
            found[number] = digest, item_id
    return found


def _rows(sources: Sources, bucket: int) -> Iterator[tuple[tuple[str, str], pa.Table]]:
    table = sources.gallery(bucket)
    units = pc.binary_join_element_wise(table["model_id"], table["unit_id"], "/")
    for unit in sorted(set(units.to_pylist())):
        model_id, _, unit_id = unit.rpartition("/")
        yield (model_id, unit_id), table.filter(pc.equal(units, unit)).drop_columns(["model_id", "unit_id"])


def _scan(sources: Sources, scan: Scan, unit: tuple[str, str], parts: Iterable[pa.Table]) -> Iterator[tuple[int, Tops]]:
    rows = pa.concat_tables(list(parts)).combine_chunks()
    return scan_unit(scan, read_embeddings(sources.store, sources.space_id, *unit), rows)


def _write(sources: Sources, block: int, tops: Tops) -> None:
    sources.store.put(_name(sources, block), tops.to_bytes())


def _name(sources: Sources, block: int) -> str:
    return f"{sources.prefix}/truth/{block:05d}.npz"
