"""Small helpers for Arrow tables: as bytes, joined, one row a key."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


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
    found = pc.index_in(flat(needles), value_set=flat(haystack))
    return np.asarray(found.fill_null(-1), dtype=np.int64)


def first_of_each(table: pa.Table, key: str, order: list[tuple[str, str]]) -> pa.Table:
    """Return one row a key, the first in the given order ([(column, 'ascending' | 'descending')])."""
    if not table.num_rows:
        return table
    ranked = table.take(pc.sort_indices(table, sort_keys=order))
    values = flat(ranked[key])
    return ranked.filter(pa.array(index_of(values, values) == np.arange(len(values))))


def filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table of an earlier version with the columns of today's schema that it lacks, all null, at its end."""
    for field in schema:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table


def flat(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
