"""Tables as the bytes of Parquet files, and back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq


def encoded(table: pa.Table, compression: str = "ZSTD", *, row_group_rows: int | None = None) -> bytes:
    """Return a table as a Parquet file; `row_group_rows` is for tables of which single rows are read."""
    sink = io.BytesIO()
    plain = row_group_rows is None
    pq.write_table(table, sink, row_group_size=row_group_rows, compression=compression, use_dictionary=plain)
    return sink.getvalue()


def decoded(file: BinaryIO | bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a Parquet file's table, or those columns of it. Raises ArrowException and OSError for a damaged file."""
    return read(opened(io.BytesIO(file) if isinstance(file, bytes) else file), columns)


def opened(file: BinaryIO) -> pq.ParquetFile:
    """Return a Parquet file, to be read by this module alone.

    Arrow's threads must not hold what is Python's: one that lets go of it while the interpreter ends aborts the process
    (SIGABRT, apache/arrow#49942). `pq.read_table` has them read ahead; here the caller's own thread reads, which takes
    no longer for a file on a disk.
    """
    return pq.ParquetFile(file, pre_buffer=False)


def read(file: pq.ParquetFile, columns: Sequence[str] | None = None, groups: Sequence[int] | None = None) -> pa.Table:
    """Return the rows of a file, or of those row groups of it."""
    names = None if columns is None else list(columns)
    if groups is None:
        return file.read(columns=names, use_threads=False)
    return file.read_row_groups(list(groups), columns=names, use_threads=False)
