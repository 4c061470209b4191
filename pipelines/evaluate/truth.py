"""What exact search finds in the whole gallery: the judge of every index.

A worker holds one unit of vectors and one block of queries' scores at a time.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate.asked import Asked
from pipelines.evaluate.gallery import NUMBER_BITS, Keys, key_of, keys_of
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.tops import Tops, best_of_block, merge_tops
from pipelines.evaluate.vectors import read_embeddings
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.tables.arrays import Floats

QUERY_BLOCK = 256
SCAN = "scan.npz"


@dataclass(frozen=True)
class Truth:
    """What exact search of the gallery finds: as keys (`tops`), as photos, and as items without the test split."""

    tops: Tops
    photos: list[list[bytes]]
    items: list[list[str]]


@dataclass(frozen=True)
class Scan:
    """The queries of an exact search.

    `embeddings` float32 `[num_queries, dim]`; by query, `photo` is the key of a photo not to be found (0: none) and
    `own` the keys of items not to be found; `whole` bool: the test split counts among what should be retrieved.
    """

    embeddings: Floats
    photo: Keys
    own: tuple[frozenset[int], ...]
    whole: npt.NDArray[np.bool_]

    @property
    def blocks(self) -> int:
        """Number of query blocks."""
        return -(-len(self.embeddings) // QUERY_BLOCK)

    def to_bytes(self) -> bytes:
        """Return the arrays as an npz file."""
        own = np.array([key for keys in self.own for key in sorted(keys)], np.uint64)
        sink = io.BytesIO()
        counts = np.array([len(keys) for keys in self.own], np.int64)
        np.savez(sink, embeddings=self.embeddings, photo=self.photo, own=own, counts=counts, whole=self.whole)
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Scan:
        """Return what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            parts = np.split(held["own"], np.cumsum(held["counts"])[:-1]) if len(held["counts"]) else []
            own = tuple(frozenset(part.tolist()) for part in parts)
            return cls(held["embeddings"], held["photo"], own, held["whole"])


def search_exactly(jobs: Jobs, sources: Sources, asked: Asked) -> Truth:
    """Search the whole gallery exactly, and name what was found."""
    tops = best_of_gallery(jobs, sources, scan_of(asked))
    near, kept = tops.photos.numbers[:, :10], tops.kept.numbers[:, :100]
    named = resolve_numbers(sources, {int(n) for n in np.concatenate([near.ravel(), kept.ravel()]) if n >= 0})
    digests = [[named[int(n)][0] for n in row if n >= 0] for row in near]
    return Truth(tops, digests, [[named[int(n)][1] for n in row if n >= 0] for row in kept])


def scan_of(asked: Asked) -> Scan:
    """Return what is scanned for: a query of the gallery leaves out its own photo and items."""
    photos = np.array([0 if query.cross else key_of(query.digest) for query in asked.queries], np.uint64)
    whole = np.array([query.cross for query in asked.queries])
    return Scan(asked.outputs.embeddings, photos, tuple(own_keys(items) for items in asked.own), whole)


def best_of_gallery(jobs: Jobs, sources: Sources, scan: Scan) -> Tops:
    """Return the best of every query; the queries reach the workers through the store, not in the job's graph."""
    sources.put(SCAN, scan.to_bytes())

    def build(pipeline: beam.Pipeline) -> None:
        rows = (
            pipeline | "Gallery" >> CreateEach(range(sources.buckets)) | "Rows" >> beam.FlatMap(partial(_rows, sources))
        )
        tops = rows | "ByUnit" >> beam.GroupByKey() | "Scan" >> beam.ParDo(_ScanUnit(sources))
        merged = tops | "Merge" >> beam.CombinePerKey(merge_tops)
        merged | "Write" >> beam.MapTuple(partial(_write, sources))

    jobs.run("scan", build)
    return Tops.stacked([Tops.from_bytes(sources.read(_name(block))) for block in range(scan.blocks)])


def scan_unit(scan: Scan, vectors: Floats, rows: pa.Table) -> Iterator[tuple[int, Tops]]:
    """Yield (query block, best results) of a unit.

    `vectors` float32 `[rows of the unit, dim]`; `rows` are the gallery's links into it: digest, item_id, fold, test,
    row, number.
    """
    rows = rows.sort_by("number")
    place, numbers = rows["row"].to_numpy(), rows["number"].to_numpy()
    photos, items, folds = (keys_of(rows[name]) for name in ("digest", "item_id", "fold"))
    test = rows["test"].to_numpy()
    first = np.unique(place, return_index=True)[1]
    total, count = vectors[place[first]].sum(axis=0, dtype=np.float64), len(first)
    for block in range(scan.blocks):
        part = slice(block * QUERY_BLOCK, (block + 1) * QUERY_BLOCK)
        scores = scan.embeddings[part] @ vectors[place].T
        by_photo = np.where(photos[None, :] == scan.photo[part][:, None], -np.inf, scores).astype(np.float32)
        _forbid_own(scores, scan.own[part], items)
        kept = np.where(test[None, :] & ~scan.whole[part][:, None], -np.inf, scores).astype(np.float32)
        tops = (best_of_block(s, numbers, keys) for s, keys in ((by_photo, photos), (scores, folds), (kept, folds)))
        yield block, Tops(total, count, *tops)


def own_keys(item_ids: Iterable[str]) -> frozenset[int]:
    """Return the keys of items that a query may not find."""
    return frozenset(key_of(item_id) for item_id in item_ids)


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


class _ScanUnit(beam.DoFn):
    """Scan one unit of vectors for all queries, which are read once a worker."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._scan: Scan | None = None

    def process(self, element: tuple[tuple[str, str], Iterable[pa.Table]]) -> Iterator[tuple[int, Tops]]:
        if self._scan is None:
            self._scan = Scan.from_bytes(self._sources.read(SCAN))
        unit, parts = element
        rows = pa.concat_tables(list(parts)).combine_chunks()
        yield from scan_unit(self._scan, read_embeddings(self._sources.store, self._sources.space_id, *unit), rows)


def _rows(sources: Sources, bucket: int) -> Iterator[tuple[tuple[str, str], pa.Table]]:
    table = sources.gallery(bucket)
    units = pc.binary_join_element_wise(table["model_id"], table["unit_id"], "/")
    for unit in sorted(set(units.to_pylist())):
        model_id, _, unit_id = unit.rpartition("/")
        yield (model_id, unit_id), table.filter(pc.equal(units, unit)).drop_columns(["model_id", "unit_id"])


def _forbid_own(scores: Floats, own: tuple[frozenset[int], ...], items: Keys) -> None:
    everyone = np.array(sorted(frozenset().union(*own)), np.uint64)
    suspects = np.flatnonzero(np.isin(items, everyone))
    for query, keys in enumerate(own):
        mine = [column for column in suspects if int(items[column]) in keys] if keys else []
        scores[query, mine] = -np.inf


def _write(sources: Sources, block: int, tops: Tops) -> None:
    sources.put(_name(block), tops.to_bytes())


def _name(block: int) -> str:
    return f"truth/{block:05d}.npz"
