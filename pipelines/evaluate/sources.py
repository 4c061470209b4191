"""Where the stage reads from, and what it keeps below its own folder: arrays, tables and counts, also from Beam."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa

from pipelines.evaluate import gallery, queries
from pipelines.hidden.settled import settled, without
from pipelines.store import Store, parquet
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS, RESOLVED_VECTORS
from pipelines.tables.variants import without_placeholders


@dataclass(frozen=True)
class Sources:
    """Where the inputs are, and how the gallery and the queries are chosen.

    `prefix` is the stage's own folder; `items`, `photos` and `vectors` are folders of bucketed tables; `roles` of
    queries (empty: all); `count` queries; `unit` is what a result stands for, "item" or "group"; `placeholders` are
    the keys of group_ids that make no group; `hidden` names the list of the items that the index was built without,
    `curated` the decisions of curators that the run keeps to.
    """

    store: Store
    prefix: str
    buckets: int
    items: str
    photos: str
    vectors: str
    space_id: str
    roles: tuple[str, ...]
    gallery_roles: tuple[str, ...]
    count: int
    unit: str
    placeholders: frozenset[bytes] = frozenset()
    hidden: str = ""
    curated: str = ""

    def active(self, bucket: int) -> pa.Table:
        """Return the active photos of the items of a bucket, but for hidden ones."""
        items = read_bucket(self.store, self.items, bucket, ITEMS)
        items = without(without_placeholders(items, self.placeholders), settled(self.store, self.hidden))
        return queries.active_photos(read_bucket(self.store, self.photos, bucket, RESOLVED_PHOTOS), items)

    def stored_vectors(self, bucket: int) -> pa.Table:
        """Return where the vectors of a bucket of digests are."""
        return read_bucket(self.store, self.vectors, bucket, RESOLVED_VECTORS)

    def gallery(self, bucket: int) -> pa.Table:
        """Return the gallery rows whose digests fall in a bucket."""
        return read_bucket(self.store, f"{self.prefix}/gallery", bucket, gallery.GALLERY)

    def put(self, name: str, data: bytes) -> None:
        """Write bytes below the stage's folder; a rerun writes them again."""
        self.store.put(f"{self.prefix}/{name}", data)

    def read(self, name: str) -> bytes:
        """Return bytes that `put` wrote."""
        return self.store.read(f"{self.prefix}/{name}")

    def put_table(self, name: str, table: pa.Table) -> None:
        """Write a table below the stage's folder; a rerun writes it again."""
        self.put(f"{name}.parquet", parquet.encoded(table))

    def table(self, name: str) -> pa.Table:
        """Return a table that `put_table` wrote."""
        with self.store.open(f"{self.prefix}/{name}.parquet") as file:
            return parquet.decoded(file)

    def put_counts(self, name: str, counts: Mapping[str, int]) -> None:
        """Write counts below the stage's folder."""
        self.put(f"{name}.json", json.dumps(counts, sort_keys=True).encode())

    def counts(self, name: str) -> dict[str, int]:
        """Return counts that `put_counts` wrote."""
        found: dict[str, int] = self.store.read_json(f"{self.prefix}/{name}.json")
        return found

    def leaf_counts(self, name: str, kind: str) -> dict[str, int]:
        """Return those counts of `name` that are of one kind, by leaf."""
        start = f"{kind}:"
        return {key.removeprefix(start): n for key, n in self.counts(name).items() if key.startswith(start)}


def write_table(sources: Sources, name: str, schema: pa.Schema, tables: beam.PCollection[pa.Table]) -> None:
    """Write all tables of a collection as one."""
    merged = tables | f"Merge_{name}" >> beam.CombineGlobally(partial(_concatenated, schema))
    merged | f"Write_{name}" >> beam.Map(partial(sources.put_table, name))


def write_sum(sources: Sources, name: str, counts: beam.PCollection[Counter[str]]) -> None:
    """Write the sum of all counters of a collection."""
    total = counts | f"Sum_{name}" >> beam.CombineGlobally(_summed)
    total | f"Write_{name}" >> beam.Map(partial(sources.put_counts, name))


def _concatenated(schema: pa.Schema, tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def _summed(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total
