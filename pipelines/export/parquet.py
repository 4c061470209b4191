"""Parquet: vectors, items and hashes, each a folder of parts."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.export.loader import Loader
from pipelines.export.schemas import About

ROW_GROUP_ROWS: Final = 4_096


def encoded(tables: Iterable[pa.Table], schema: pa.Schema) -> bytes:
    """Return a Parquet file; numbers of vectors and bits of hashes hold no repetition that a dictionary would find."""
    sink = io.BytesIO()
    plain = [name for name in schema.names if name not in {"embedding", "hash", "photo"}]
    with pq.ParquetWriter(sink, schema, compression="ZSTD", use_dictionary=plain) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
    return sink.getvalue()


def encode(table: pa.Table) -> bytes:
    """Return a part of the vectors."""
    vectors = table.select(["item_id", "photo", "image_uri", "position", "embedding"])
    return encoded([vectors], vectors.schema)


def _nothing(_: About, __: str) -> dict[str, object]:
    return {}


LOADER: Final = Loader("parquet", 1, "vectors", ".parquet", 32_768, encode, _nothing)
