"""Feed files -> raw rows, one dict a row, streaming; an unreadable row is a reject, not a stop."""

from __future__ import annotations

import glob
import os
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pipelines.catalogue.formats.base import Columns, FeedError, Notation, RawRow, UnreadableError
from pipelines.catalogue.formats.delimited import Delimited
from pipelines.catalogue.formats.json_rows import json_names, read_json
from pipelines.catalogue.formats.text import check_names, decoded, format_within
from pipelines.catalogue.partitions import partitions_of
from pipelines.shop_files.files import File

_TEXT = dict.fromkeys((".csv", ".tsv", ".txt"), "csv")
_OBJECTS = dict.fromkeys((".jsonl", ".ndjson", ".json"), "json")
FORMATS = {**_TEXT, **_OBJECTS, ".xml": "xml", ".rss": "xml", ".atom": "xml", ".parquet": "parquet"}
_WORKBOOKS = dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods", ".numbers"), "is a workbook; save it as CSV, or")
_PACKED = dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst"), "is packed; unpack it, and")


def format_of(file: File) -> str:
    """Return 'csv', 'json', 'xml' or 'parquet', by the file's ending, or by how it begins where that says nothing.

    Databases unload files that are called `part-00000` or `0000_part_00`. Raises FeedError for what is none of them.
    """
    suffixes = [suffix.lower() for suffix in file.suffixes[-2:] if suffix.lower() != ".gz"]
    ending = suffixes[-1] if suffixes else ""
    kind = FORMATS.get(ending)
    if kind is None and ending not in {**_WORKBOOKS, **_PACKED}:
        kind = _format_within(file, _version(file))
    if kind is None:
        what = {**_WORKBOOKS, **_PACKED}.get(ending, "has an unknown ending;")
        raise FeedError(f"{file} {what} use one of {', '.join(sorted(FORMATS))} (or .gz of a text format)")
    return kind


def _version(file: File) -> str:
    if not isinstance(file, Path):
        return file.fingerprint
    try:
        status = file.stat()
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}" if stat.S_ISREG(status.st_mode) else ""


@lru_cache(1024)
def _format_within(file: File, version: str) -> str | None:
    """Return the format that a file begins like, None where it is not there, empty, or no text."""
    return format_within(file) if version else None


def files_in(folder: Path, ending: str = ".csv") -> str:
    """Return a glob of the feed files that lie in a folder, or in folders in it; with an ending where none does."""
    for level in ("*", "*/*", "*/*/*", "*/*/*/*"):
        files = (path for path in glob.iglob(level, root_dir=folder) if (folder / path).is_file())
        if feeds := Counter(filter(None, map(_ending_of, files))).most_common(1):
            return f"{level}{feeds[0][0]}"
    return f"*{ending}"


def _ending_of(path: str) -> str:
    """Return the ending of a feed file, with that of gzip, "" of another file."""
    plain = path.removesuffix(".gz")
    ending = os.path.splitext(plain)[1]
    return ending + path[len(plain) :] if ending.lower() in FORMATS else ""


def column_names(
    file: File,
    notation: Notation = Notation(),  # noqa: B008 - frozen
    columns: Columns = Columns(),  # noqa: B008 - frozen
) -> list[str]:
    """Return the columns of a feed file: the header, the schema, or the names in the first rows of JSON and XML.

    Last come those that its folders name and it does not. Raises FeedError when the file as a whole cannot be read.
    """
    names = _names_within(file, notation, columns)
    return [*names, *(name for name in partitions_of(file) if name not in names)] if names else names


def _names_within(file: File, notation: Notation, columns: Columns) -> list[str]:
    kind = format_of(file)
    with _named_errors(file), file.open("rb") as stream:
        if kind == "parquet":
            from pipelines.catalogue.formats.parquet import parquet_names

            return parquet_names(stream, columns.naming)
        with decoded(file, stream, notation.encoding, is_xml=kind == "xml") as text:
            if kind == "json":
                return json_names(text, columns, notation.encoding)
            if kind == "xml":
                from pipelines.catalogue.formats.xml_items import xml_names

                return xml_names(text, columns, text.encoding)
            table = Delimited(text, _notation(file, notation), columns)
            check_names(file, table.header, notation.encoding)
            return [*table.header, *table.nested_names()]


def is_blank(file: File) -> bool:
    """Tell whether the text of a small file has no character but blanks."""
    with suppress(FeedError, OSError, EOFError, zlib.error), file.open("rb") as stream:
        return not decoded(file, stream, "utf-8").read().strip()
    return False


def read_rows(
    file: File,
    notation: Notation = Notation(),  # noqa: B008 - frozen
    columns: Columns = Columns(),  # noqa: B008 - frozen
) -> Iterator[RawRow]:
    """Yield the rows of a feed file, each with what its folders say. Raises FeedError when it cannot be read at all."""
    folders = {name: value for name, value in partitions_of(file).items() if columns.wants(name)}
    for row in _rows_within(file, notation, columns):
        yield replace(row, values=folders | row.values) if folders else row


def _rows_within(file: File, notation: Notation, columns: Columns) -> Iterator[RawRow]:
    kind = format_of(file)
    with _named_errors(file), file.open("rb") as stream:
        if kind == "parquet":
            from pipelines.catalogue.formats.parquet import read_parquet

            yield from read_parquet(stream, columns)
            return
        with decoded(file, stream, notation.encoding, is_xml=kind == "xml") as text:
            if kind == "json":
                yield from read_json(text, columns, notation.encoding)
            elif kind == "xml":
                from pipelines.catalogue.formats.xml_items import read_xml

                yield from read_xml(text, columns, text.encoding)
            else:
                yield from Delimited(text, _notation(file, notation), columns).rows()


def _notation(file: File, notation: Notation) -> Notation:
    if ".tsv" not in (suffix.lower() for suffix in file.suffixes):
        return notation
    return replace(notation, delimiter="\t")


@contextmanager
def _named_errors(file: File) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except UnreadableError as error:
        raise FeedError(f"{file} cannot be read: {error}") from error
    except IsADirectoryError as error:
        raise FeedError(
            f"{file} is a folder; name the files in it, as {file}/{files_in(Path(str(file)), file.suffixes[-1])}"
        ) from error
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or error
        raise FeedError(f"{file} cannot be read: {reason}; replace the file, or leave it out of the feed") from error
