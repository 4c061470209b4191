"""Feed files -> raw rows, one dict a row, streaming; an unreadable row is a reject, not a stop. No Beam here."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from pipelines.shop_files.locations import File

FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
_KEYS_FROM_ROWS = 1000

csv.field_size_limit(1 << 24)


class FeedError(Exception):
    """A feed cannot be read at all; the message names the file and the fix."""


@dataclass(frozen=True)
class RawRow:
    """One row of a feed, 1-based: its values by column, or a reject code and detail."""

    number: int
    values: dict[str, Any]
    code: str = ""
    detail: str = ""


def format_of(file: File) -> str:
    """Return 'csv', 'jsonl' or 'parquet' by the file's ending. Raises FeedError for another one."""
    suffixes = [s for s in file.suffixes[-2:] if s != ".gz"]
    kind = FORMATS.get(suffixes[-1].lower()) if suffixes else None
    if kind is None:
        raise FeedError(
            f"{file} has an unknown ending; use one of {', '.join(sorted(FORMATS))} (or .gz of a text format)"
        )
    return kind


def column_names(file: File, delimiter: str = ",") -> list[str]:
    """Return the columns of a feed file: the header, the schema, or the keys of the first JSON rows.

    Raises FeedError when the file as a whole cannot be read.
    """
    kind = format_of(file)
    with _named_errors(file), file.open("rb") as stream:
        if kind == "parquet":
            import pyarrow.parquet as pq

            return [str(name) for name in pq.read_schema(stream).names]
        text = _as_text(file, stream)
        if kind == "csv":
            return [name.strip() for name in next(csv.reader(text, delimiter=_delimiter(file, delimiter)), [])]
        return _json_keys(file, text)


def read_rows(file: File, delimiter: str = ",") -> Iterator[RawRow]:
    """Yield the rows of a feed file. Raises FeedError when the file as a whole cannot be read."""
    kind = format_of(file)
    with _named_errors(file), file.open("rb") as stream:
        if kind == "parquet":
            yield from _read_parquet(stream)
            return
        text = _as_text(file, stream)
        yield from _read_csv(text, _delimiter(file, delimiter)) if kind == "csv" else _read_jsonl(text)


@contextmanager
def _named_errors(file: File) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (OSError, EOFError, zlib.error, csv.Error, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or error
        raise FeedError(f"{file} cannot be read: {reason}; replace the file, or leave it out of the feed") from error


def _as_text(file: File, stream: BinaryIO) -> IO[str]:
    # Bytes that are no UTF-8 become lone surrogates, so that one bad row does not end the file.
    plain = gzip.GzipFile(fileobj=stream, mode="rb") if file.suffix == ".gz" else stream
    return io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _delimiter(file: File, delimiter: str) -> str:
    return "\t" if ".tsv" in file.suffixes else delimiter


class _Lines:
    """The lines of a file, and whether they ran out."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.ended = file, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self.file:
            return line
        self.ended = True
        raise StopIteration


def _read_csv(file: IO[str], delimiter: str) -> Iterator[RawRow]:
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    number = 0
    while True:
        number += 1
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRow(number, {}, "bad_row", str(error))
            continue
        if not cells:
            number -= 1
        elif lines.ended:  # the file ended inside a cell, and what was read is the rest of the file
            yield RawRow(number, {}, "bad_row", f"a quote is left open from line {line} to the file's end")
        elif len(cells) != len(header):
            detail = f"{len(cells)} cells under {len(header)} columns"
            if reader.line_num > line:
                detail += f", over lines {line} to {reader.line_num}: is a quote left open?"
            yield RawRow(number, {}, "bad_row", detail)
        else:
            yield _checked(number, dict(zip(header, cells, strict=True)))


def _json_keys(file: File, text: IO[str]) -> list[str]:
    keys: dict[str, None] = {}
    first_bad = None
    for _, row in zip(range(_KEYS_FROM_ROWS), _read_jsonl(text), strict=False):
        keys.update(dict.fromkeys(row.values))
        first_bad = first_bad or (row if row.code else None)
    if first_bad is not None and not keys:
        raise FeedError(
            f"{file} holds no JSON object in its first rows (row {first_bad.number}: {first_bad.detail}); "
            "write one object a line, such as with jq -c '.[]'"
        )
    return list(keys)


def _read_jsonl(file: IO[str]) -> Iterator[RawRow]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield RawRow(number, {}, "bad_row", f"not JSON: {error}")
            continue
        if isinstance(values, dict):
            # An escape such as "\ud83d" is ASCII, and still no text.
            yield _checked(number, values, json.dumps(values, ensure_ascii=False) if "\\u" in line else line)
        else:
            yield RawRow(number, {}, "bad_row", f"a JSON {type(values).__name__}, not an object")


def _read_parquet(stream: BinaryIO) -> Iterator[RawRow]:
    import pyarrow.parquet as pq

    number = 0
    for batch in pq.ParquetFile(stream).iter_batches(batch_size=4096):
        try:
            rows = [RawRow(number + i, values) for i, values in enumerate(batch.to_pylist(), 1)]
        except UnicodeDecodeError:  # Parquet does not check what its strings hold
            rows = [_parquet_row(batch, i, number + i + 1) for i in range(batch.num_rows)]
        yield from rows
        number += batch.num_rows


def _parquet_row(batch: Any, row: int, number: int) -> RawRow:
    values = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            values[name] = column[row].as_py()
        except UnicodeDecodeError:
            return RawRow(number, {}, "bad_utf8", f"column {name!r} is not UTF-8")
    return RawRow(number, values)


def _checked(number: int, values: dict[str, Any], text: str | None = None) -> RawRow:
    whole = text if text is not None else "".join(values.values())
    if whole.isascii():
        return RawRow(number, values)
    bad = [name for name, value in values.items() if isinstance(value, str) and not _is_text(value)]
    if bad or not _is_text(whole):
        return RawRow(number, {}, "bad_utf8", f"column {bad[0]!r} is not UTF-8" if bad else "the row is not UTF-8")
    return RawRow(number, values)


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
