"""Parquet -> raw rows, with the types of Python; what is binary there is text to a feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.catalogue.formats.base import Columns, RawRow
from pipelines.catalogue.formats.naming import Naming
from pipelines.catalogue.formats.nested import names_in, picked

_ROWS_A_BATCH = 4096


def parquet_names(stream: BinaryIO, naming: Naming = Naming()) -> list[str]:  # noqa: B008 - frozen
    """Return the names of a file's columns. Raises ArrowException."""
    schema = pq.read_schema(stream)
    return list(
        names_in(pa.schema([f.with_name(name) for f, name in zip(schema, _named(schema, naming), strict=True)]))
    )


def read_parquet(stream: BinaryIO, columns: Columns) -> Iterator[RawRow]:
    """Yield the rows. Raises ArrowException for a file that is damaged as a whole."""
    file = pq.ParquetFile(stream, coerce_int96_timestamp_unit="us")  # nanoseconds end in the year 2262
    names = dict(zip(file.schema_arrow.names, _named(file.schema_arrow, columns.naming), strict=True))
    nested = bool(columns.read - {*names.values()})
    number = 0
    for batch in file.iter_batches(_ROWS_A_BATCH, columns=_wanted(names, columns), use_threads=False):
        table = {names[name]: _adapted(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
        for row in _rows(table, number, batch.num_rows):
            yield replace(row, values=_picked(row.values, columns)) if nested else row
        number += batch.num_rows


def _named(schema: pa.Schema, naming: Naming) -> list[str]:
    return naming.renamed(map(str, schema.names))


def _picked(values: dict[str, Any], columns: Columns) -> dict[str, Any]:
    also = {name: value for name, value in values.items() if columns.wants(name)}
    return also | picked(values, columns.read) if columns.read else also


def _wanted(names: Mapping[str, str], columns: Columns) -> list[str] | None:
    """Return which of a file's columns hold what is read, by their own names; None for all."""
    if not columns.read or any("." in name for name in names):  # a dot leads into a nested column
        return None
    tops = {one.partition(".")[0].partition("[")[0] for one in columns.read}
    return [own for own, name in names.items() if columns.wants(name) or name in tops]


def _adapted(column: pa.Array) -> pa.Array:
    """Return a column as text where it is binary, and at most to the microsecond; as it is where that cannot be."""
    wanted = _plain(column.type)
    if wanted == column.type:
        return column
    try:
        return pc.cast(column, wanted, safe=not pa.types.is_timestamp(wanted))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return column


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.string()
    if pa.types.is_timestamp(kind):  # one zone for all: not every machine knows every zone's name
        return pa.timestamp("us" if kind.unit == "ns" else kind.unit, kind.tz and "UTC")
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind


def _rows(table: dict[str, pa.Array], before: int, count: int) -> Iterator[RawRow]:
    try:
        values = [column.to_pylist() for column in table.values()]
    except (UnicodeDecodeError, ValueError, OverflowError):  # one value of the batch; Parquet does not check its texts
        yield from (_row(table, row, before + row + 1) for row in range(count))
        return
    for number, cells in enumerate(zip(*values, strict=True) if values else (), before + 1):
        yield RawRow(number, dict(zip(table, cells, strict=True)), place=number)


def _row(table: dict[str, pa.Array], row: int, number: int) -> RawRow:
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for name, column in table.items():
        try:
            values[name] = column[row].as_py()
        except UnicodeDecodeError:
            wrong.append(("bad_utf8", f"column {name!r} is not UTF-8"))
        except (ValueError, OverflowError) as error:
            wrong.append(("bad_row", f"column {name!r} cannot be read: {error}"))
    code, detail = wrong[0] if wrong else ("", "")
    return RawRow(number, values, code, detail, number)
