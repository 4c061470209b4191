"""Tables in hash buckets: which bucket a key is in, and one Parquet file a bucket; pure functions without Beam.

A shuffle carries one Arrow IPC message a (source, bucket) instead of a Python object a row: memory and time stay
proportional to the keys' bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from pipelines.store import NotFoundError, Store, parquet
from pipelines.tables.arrow import to_ipc


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


def partition(
    table: pa.Table, key: str, buckets: int, key_of: Callable[[str], str] | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield (bucket, Arrow IPC bytes) of the table's rows, one a bucket that has rows.

    The bucket is that of the column `key`, or of what `key_of` makes of it.

    They are compressed: a runner may keep all that it shuffles in memory.
    """
    if not table.num_rows:
        return
    keys = table[key]
    numbers = buckets_of(pa.array(map(key_of, keys.to_pylist())) if key_of else keys, buckets)
    order = np.argsort(numbers, kind="stable")
    present, starts = np.unique(numbers[order], return_index=True)
    for bucket, part in zip(present, np.split(order, starts[1:]), strict=True):
        yield int(bucket), to_ipc(table.take(part), "zstd")


def write_bucket(store: Store, folder: str, bucket: int, table: pa.Table) -> None:
    """Create one bucket file; one that is there already holds the same rows and stays."""
    write_parquet(store, f"{folder}/{bucket_name(bucket)}", table)


def read_bucket(
    store: Store, folder: str, bucket: int, schema: pa.Schema, columns: list[str] | None = None
) -> pa.Table:
    """Return one bucket's table; an empty one when the bucket has no file."""
    try:
        with store.open(f"{folder}/{bucket_name(bucket)}") as file:
            return parquet.decoded(file, columns)
    except NotFoundError:
        table = schema.empty_table()
        return table.select(columns) if columns else table


def write_parquet(store: Store, name: str, table: pa.Table) -> None:
    """Create a Parquet object; one that is there already holds the same rows and stays."""
    store.create(name, parquet.encoded(table))


def read_parquet(store: Store, name: str, columns: list[str] | None = None) -> pa.Table:
    """Return a Parquet object's table. Raises NotFoundError."""
    with store.open(name) as file:
        return parquet.decoded(file, columns)
