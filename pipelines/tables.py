"""How Arrow tables are bucketed, shuffled as bytes and joined; pure functions without Beam.

A shuffle carries one Arrow IPC message a (source, bucket) instead of a Python object a row: memory and time stay
proportional to the keys' bytes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.store import NotFoundError, Store

DIGEST = pa.binary(32)

ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("group_id", pa.string()),
        ("category", pa.list_(pa.string())),
        ("title", pa.string()),
        ("price", pa.float64()),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("signals", pa.map_(pa.string(), pa.float64())),
        ("updated_at", pa.timestamp("us", "UTC")),
    ]
)
PHOTOS = pa.schema(
    [
        ("item_id", pa.string()),
        ("image_uri", pa.string()),
        ("role", pa.string()),
        ("position", pa.int32()),
        ("split", pa.string()),
        ("box", pa.list_(pa.float64())),
    ]
)
DELETES = pa.schema([("item_id", pa.string()), ("deleted_at", pa.timestamp("us", "UTC"))])
REJECTS = pa.schema(
    [
        ("source", pa.string()),
        ("item_id", pa.string()),
        ("image_uri", pa.string()),
        ("code", pa.string()),
        ("detail", pa.string()),
    ]
)
SOURCE_KEYS = pa.schema(
    [
        ("image_uri", pa.string()),
        ("fingerprint", pa.string()),
        ("fetched_at", pa.timestamp("us", "UTC")),
        ("digest", DIGEST),
        ("code", pa.string()),
        ("row", pa.int32()),
    ]
)
IMAGE_KEYS = pa.schema([("digest", DIGEST), ("code", pa.string()), ("row", pa.int32()), ("phash", pa.binary(8))])
IMAGE_DATA = pa.schema(
    [("digest", DIGEST), ("image", pa.binary()), ("width", pa.int32()), ("height", pa.int32()), ("phash", pa.binary(8))]
)
SPLIT_KEYS = pa.schema(
    [
        ("item_id", pa.string()),
        ("group", pa.binary(8)),
        ("split", pa.string()),
        ("code", pa.string()),
        ("row", pa.int32()),
    ]
)
RESOLVED_PHOTOS = pa.schema(
    [
        *PHOTOS,
        ("digest", DIGEST),
        ("code", pa.string()),
        ("image_unit", pa.string()),
        ("image_row", pa.int32()),
        ("phash", pa.binary(8)),
        ("group", pa.binary(8)),
    ]
)
VECTOR_KEYS = pa.schema([("digest", DIGEST), ("view", pa.string()), ("code", pa.string()), ("row", pa.int32())])
RESOLVED_VECTORS = pa.schema(
    [
        ("digest", DIGEST),
        ("view", pa.string()),
        ("model_id", pa.string()),
        ("unit_id", pa.string()),
        ("row", pa.int32()),
        ("code", pa.string()),
    ]
)


def bucket_of(key: bytes | str, buckets: int) -> int:
    """Return the bucket of a key: the first 8 bytes of its sha256, modulo the number of buckets."""
    raw = key.encode() if isinstance(key, str) else key
    return int.from_bytes(hashlib.sha256(raw).digest()[:8], "big") % buckets


def buckets_of(keys: pa.Array | pa.ChunkedArray, buckets: int) -> np.ndarray:
    """Return `[len(keys)]` int64 buckets of string or binary keys."""
    return np.fromiter((bucket_of(key, buckets) for key in keys.to_pylist()), np.int64, len(keys))


def bucket_name(bucket: int) -> str:
    """Return the file name of a bucket, without its folder."""
    return f"{bucket:05d}.parquet"


def partition(table: pa.Table, key: str, buckets: int) -> Iterator[tuple[int, bytes]]:
    """Yield (bucket, Arrow IPC bytes) of the table's rows, one a bucket that has rows.

    They are compressed: a runner may keep all that it shuffles in memory.
    """
    if not table.num_rows:
        return
    numbers = buckets_of(table[key], buckets)
    order = np.argsort(numbers, kind="stable")
    present, starts = np.unique(numbers[order], return_index=True)
    for bucket, part in zip(present, np.split(order, starts[1:]), strict=True):
        yield int(bucket), to_ipc(table.take(part), "zstd")


def to_ipc(table: pa.Table, compression: str | None = None) -> bytes:
    """Return the table as an Arrow IPC stream, its columns compressed by a codec of Arrow's if one is named."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()


def from_ipc(parts: Iterable[bytes], schema: pa.Schema) -> pa.Table:
    """Return the concatenation of IPC streams; an empty table of the schema when there are none."""
    tables = [pa.ipc.open_stream(part).read_all() for part in parts]
    return pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()


def index_of(needles: pa.Array | pa.ChunkedArray, haystack: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return `[len(needles)]` int64: where each needle first stands in the haystack, -1 where it does not."""
    if not len(haystack) or not len(needles):
        return np.full(len(needles), -1, np.int64)
    found = pc.index_in(_flat(needles), value_set=_flat(haystack))
    return np.asarray(found.fill_null(-1), dtype=np.int64)


def first_of_each(table: pa.Table, key: str, order: list[tuple[str, str]]) -> pa.Table:
    """Return one row a key, the first in the given order ([(column, 'ascending' | 'descending')])."""
    if not table.num_rows:
        return table
    ranked = table.take(pc.sort_indices(table, sort_keys=order))
    values = _flat(ranked[key])
    return ranked.filter(pa.array(index_of(values, values) == np.arange(len(values))))


def write_bucket(store: Store, folder: str, bucket: int, table: pa.Table) -> None:
    """Create one bucket file; one that is there already holds the same rows and stays."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="ZSTD")
    store.create(f"{folder}/{bucket_name(bucket)}", sink.getvalue())


def read_bucket(
    store: Store, folder: str, bucket: int, schema: pa.Schema, columns: list[str] | None = None
) -> pa.Table:
    """Return one bucket's table; an empty one when the bucket has no file."""
    try:
        with store.open(f"{folder}/{bucket_name(bucket)}") as file:
            return pq.read_table(file, columns=columns)
    except NotFoundError:
        table = schema.empty_table()
        return table.select(columns) if columns else table


def read_parquet(store: Store, name: str, columns: list[str] | None = None) -> pa.Table:
    """Return a Parquet object's table. Raises NotFoundError."""
    with store.open(name) as file:
        return pq.read_table(file, columns=columns)


def _flat(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
