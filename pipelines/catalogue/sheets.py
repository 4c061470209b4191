"""Small tables that people keep by hand beside the feeds: CSV, TSV or JSON lines, with comments."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.catalogue.formats.base import FeedError, is_text
from pipelines.catalogue.formats.text import decoded, no_text
from pipelines.catalogue.rows import format_of
from pipelines.config import Config
from pipelines.shop_files.files import File
from pipelines.shop_files.locations import divide, find
from pipelines.tables.spelling import trimmed

COMMENT = "#"
DELIMITERS = "\t;,"


@dataclass(frozen=True)
class Line:
    """One line of a sheet: its number in the file, and its cells by column; texts, or what JSON holds."""

    number: int
    cells: dict[str, Any]

    def text(self, column: str) -> str:
        """Return what a cell says, "" where there is nothing."""
        value = self.cells.get(column)
        return "" if value is None else trimmed(str(value))


@dataclass(frozen=True)
class Sheet:
    """A table that is read whole. Lines that begin with # and blank ones say nothing."""

    file: File
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    digest: str

    def wrong(self, line: int, what: str) -> FeedError:
        """Return the error of a line."""
        return FeedError(f"{self.file}, line {line}: {what}")


def find_sheet(config: Config, key: str, place: str) -> File:
    """Return the file of a key of [catalogue]. Raises FeedError when there is none."""
    folder, name = divide(place)
    found = find(config.locate(folder), name)
    if len(found) != 1:
        raise FeedError(
            f"catalogue.{key} = {place!r} names {'no file' if not found else f'{len(found)} files'}, in "
            f"{config.folder}: write the path of one file, or remove the key"
        )
    return found[0][1]


def read_sheet(file: File, names: Mapping[str, str], *, in_order: Sequence[str] = ()) -> Sheet:
    """Return a sheet. `names` are what its columns may be called, in any case -> what they are called here.

    Other columns keep their names. Where no cell of the first line is such a name, it is a line like the others, whose
    columns are `in_order`, if these are given. Raises FeedError.
    """
    data, lines = _read(file)
    kept = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith(COMMENT)]
    kind = format_of(file)
    if kind == "parquet":
        raise FeedError(f"{file} is kept by hand: use .csv, .tsv or .jsonl")
    known = _Names({name.casefold(): column for name, column in names.items()}, tuple(in_order))
    found = tuple(_of_json(file, kept, known) if kind == "json" else _of_csv(file, kept, known))
    columns = tuple(dict.fromkeys(name for line in found for name in line.cells))
    return Sheet(file, columns, found, hashlib.sha256(data).hexdigest())


def _read(file: File) -> tuple[bytes, list[str]]:
    try:
        with file.open("rb") as stream:
            data = stream.read()
        with file.open("rb") as stream, decoded(file, stream, "utf-8") as text:
            lines = text.read().splitlines()
    except OSError as error:
        raise FeedError(f"{file} cannot be read: {error.strerror}; check its path") from error
    for number, line in enumerate(lines, 1):
        if not is_text(line):
            raise FeedError(f"{file}, line {number}: {no_text(line, 'utf-8')}; save it as UTF-8")
    return data, lines


@dataclass(frozen=True)
class _Names:
    known: Mapping[str, str]
    in_order: tuple[str, ...]

    def of(self, cell: str) -> str:
        """Return what a column is called here."""
        return self.known.get(cell.casefold(), cell)

    def header(self, cells: Sequence[str]) -> list[str] | None:
        """Return the columns that the first line names; None where it names none, and is of the rest."""
        if self.in_order and not any(cell.casefold() in self.known for cell in cells):
            return None
        return [self.of(cell) for cell in cells]


def _of_json(file: File, lines: Sequence[tuple[int, str]], names: _Names) -> Iterator[Line]:
    for number, line in lines:
        try:
            value = json.loads(line)
        except ValueError as error:
            raise FeedError(f"{file}, line {number}: {error}; write one JSON object a line") from error
        if not isinstance(value, dict):
            raise FeedError(f"{file}, line {number}: {line[:40]!r} is no JSON object; write one a line")
        yield Line(number, {names.of(name): cell for name, cell in value.items()})


def _of_csv(file: File, lines: Sequence[tuple[int, str]], names: _Names) -> Iterator[Line]:
    columns: list[str] | None = None
    reader = _reader(lines)
    for cells in reader:
        number = lines[reader.line_num - 1][0]
        cells = [trimmed(cell) for cell in cells]
        if columns is None:
            header = names.header(cells)
            columns = header or [*names.in_order]
            if header:
                continue
        while len(cells) > len(columns) and not cells[-1]:  # as spreadsheets pad them
            cells.pop()
        if len(cells) > len(columns):
            raise FeedError(
                f"{file}, line {number}: {len(cells)} cells, and the columns are {', '.join(columns)}; put cells that "
                "hold the delimiter in double quotes"
            )
        yield Line(number, {name: cell for name, cell in zip(columns, cells, strict=False) if name})


def _reader(lines: Sequence[tuple[int, str]]) -> Any:
    first = lines[0][1] if lines else ""
    delimiter = max(DELIMITERS, key=lambda mark: (first.count(mark), mark == ","))
    return csv.reader((f"{line}\n" for _, line in lines), delimiter=delimiter)
