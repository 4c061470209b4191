"""Where the stage reads from, and the tables it keeps below its own folder.

Owns names and small writes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.evaluate import gallery, queries
from pipelines.store import Store
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS, RESOLVED_VECTORS


@dataclass(frozen=True)
class Sources:
    """Where the inputs are, and how the gallery and the queries are chosen.

    `prefix` is the stage's own folder; `items`, `photos` and `vectors` are folders of bucketed tables; `roles` of
    queries (empty: all); `count` queries; `unit` is what a result stands for, "item" or "group".
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

    def active(self, bucket: int) -> pa.Table:
        """Return the active photos of the items of a bucket."""
        items = read_bucket(self.store, self.items, bucket, ITEMS)
        return queries.active_photos(read_bucket(self.store, self.photos, bucket, RESOLVED_PHOTOS), items)

    def stored_vectors(self, bucket: int) -> pa.Table:
        """Return where the vectors of a bucket of digests are."""
        return read_bucket(self.store, self.vectors, bucket, RESOLVED_VECTORS)

    def gallery(self, bucket: int) -> pa.Table:
        """Return the gallery rows whose digests fall in a bucket."""
        return read_bucket(self.store, f"{self.prefix}/gallery", bucket, gallery.GALLERY)

    def put_table(self, name: str, table: pa.Table) -> None:
        """Write a table below the stage's folder; a rerun writes it again."""
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="ZSTD")
        self.store.put(f"{self.prefix}/{name}.parquet", sink.getvalue())

    def table(self, name: str) -> pa.Table:
        """Return a table that `put_table` wrote."""
        with self.store.open(f"{self.prefix}/{name}.parquet") as file:
            return pq.read_table(file)

    def put_counts(self, name: str, counts: Mapping[str, int]) -> None:
        """Write counts below the stage's folder."""
        self.store.put(f"{self.prefix}/{name}.json", json.dumps(counts, sort_keys=True).encode())

    def counts(self, name: str) -> dict[str, int]:
        """Return counts that `put_counts` wrote."""
        found: dict[str, int] = self.store.read_json(f"{self.prefix}/{name}.json")
        return found
