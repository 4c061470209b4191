"""Delimited text (CSV, TSV) -> raw rows. Damage is told, and costs the rows that it hit, not those that follow.

Quotes are read strictly: text after a closing quote is damage. A quote that is left open may swallow rows and still end
well, at the next quote that stands before a delimiter; so a cell over several lines is looked at again when its lines
are rows of their own.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any

from pipelines.catalogue.formats.base import Columns, Notation, RawRow, UnreadableError, is_text, possible_ids
from pipelines.catalogue.formats.escapes import spelt_out
from pipelines.catalogue.formats.lines import Lines
from pipelines.catalogue.formats.nested import names_of, picked
from pipelines.catalogue.formats.shape import Shape
from pipelines.catalogue.formats.text import no_text
from pipelines.tables.spelling import trimmed

MAX_CELL_CHARACTERS = 1 << 20
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_DELIMITERS = ",\t;|"
"""One of them parts the names of a header; none of them is in many names."""
_MAX_LINES = 1000
"""Of a text behind a damaged cell."""
_RULE = re.compile(r"(?=.*-)[-=+:|\s]+", re.DOTALL)
"""What is drawn under a header, for people."""
_ROWS_FOR_NAMES = 200
_CUT = re.compile(r"[.\[]")
"""What parts the column of a cell from the path into it."""
_FORMULA = re.compile(r'\s*="((?:[^"]|"")*)"\s*')
"""A text written as a formula, so that Excel leaves it alone: ="0010003"."""

csv.field_size_limit(MAX_CELL_CHARACTERS)


@dataclass(frozen=True)
class _Record:
    """What one row was read from: its first line's number, its lines, and its cells or why there are none."""

    line: int
    lines: list[str]
    cells: list[str]
    error: str = ""

    def where(self, lines: int) -> str:
        return f"line {self.line}" if lines == 1 else f"lines {self.line} to {self.line + lines - 1}"


class Delimited:
    """A delimited text: its `header`, empty when the text is, and its rows. Raises UnreadableError."""

    def __init__(self, text: IO[str], notation: Notation, columns: Columns) -> None:
        self._lines, self._columns = Lines(text), columns
        self._notation = self._declared(notation)
        self._reader = self._parser(self._lines)
        self.header = self._read_header()
        self._shape = Shape(self.header, self._notation, columns)
        self._fields = _fields(columns.read, self.header)
        self._behind_damage = False

    def nested_names(self) -> list[str]:
        """Return the names of fields that cells of the first rows hold, where they are objects of JSON."""
        names = dict.fromkeys(self.header)
        for record in islice(self._records(), _ROWS_FOR_NAMES):
            names |= dict.fromkeys(names_of(dict(zip(self.header, record.cells, strict=False))))
        return [name for name in names if name not in self.header]

    def rows(self) -> Iterator[RawRow]:
        """Yield the rows; lines without a value are none."""
        number = 0
        for record in self._records():
            if not record.error and not any(map(trimmed, record.cells)):
                continue
            number += 1
            yield self._row(number, record)

    def _declared(self, notation: Notation) -> Notation:
        """Obey the first line by which Excel is told the delimiter, and pass over what is above the header."""
        first = next(self._lines, "")
        found = _SEPARATOR_LINE.fullmatch(first)
        if found:
            notation = replace(notation, delimiter=found[1])
        else:
            self._lines.put_back([first] if first else [])
        for _ in range(notation.skip_lines):
            next(self._lines, "")
        if not notation.delimiter:
            header = next(self._lines, "")
            self._lines.put_back([header] if header else [])
            notation = replace(notation, delimiter=max(_DELIMITERS, key=header.count))
        return notation

    def _parser(self, lines: Iterator[str]) -> Any:
        notation = self._notation
        return csv.reader(
            spelt_out(lines, notation),
            delimiter=notation.delimiter,
            quotechar=notation.quote or None,
            quoting=csv.QUOTE_MINIMAL if notation.quote else csv.QUOTE_NONE,
            escapechar=notation.escape,
            skipinitialspace=not notation.delimiter.isspace(),
            strict=True,
        )

    def _read_header(self) -> list[str]:
        for record in self._records():
            if record.error:
                raise UnreadableError(f"its header, {record.where(len(record.lines))}: {record.error}; mend it")
            if any(map(trimmed, record.cells)):
                return self._columns.naming.renamed(map(trimmed, record.cells))
        return []

    def _records(self) -> Iterator[_Record]:
        while True:
            self._lines.mark()
            line = self._lines.number + 1
            try:
                cells, error = [_unwrapped(cell) for cell in next(self._reader)], ""
            except StopIteration:
                return
            except csv.Error as caught:
                cells, error = [], _explain(str(caught), self._lines.taken)
            yield _Record(line, self._lines.taken, cells, error)

    def _row(self, number: int, record: _Record) -> RawRow:
        error = record.error or self._damage(record)
        self._behind_damage = bool(error)
        if error:
            return self._reject(number, record, error)
        self._shape.learn(record.cells)
        cells = record.cells[: len(self.header)]
        values = dict(zip(self.header, [*cells, *[""] * (len(self.header) - len(cells))], strict=True))
        return self._checked(number, record.line, values)

    def _checked(self, number: int, place: int, values: dict[str, Any]) -> RawRow:
        """Return a row without the columns that are not read, or a reject when one of them is no text.

        Fields that are read of objects in a cell are as JSON has them.
        """
        fields, columns = self._fields, self._columns
        if columns.read:
            heads = {*fields.values()}
            values = {name: value for name, value in values.items() if name in heads or columns.wants(name)}
        bad = [name for name, value in values.items() if not value.isascii() and not is_text(value)]
        good = {name: value for name, value in values.items() if name not in bad} if bad else values
        nested = picked(values, frozenset(name for name, head in fields.items() if head not in bad)) if fields else {}
        if not bad:
            return RawRow(number, good | nested, place=place)
        encoding = self._notation.encoding
        detail = f"column {bad[0]!r} {no_text(values[bad[0]], encoding)}; see catalogue.encoding"
        return RawRow(number, good | nested, "bad_utf8", detail, place)

    def _damage(self, record: _Record) -> str:
        cells, several = record.cells, len(record.lines) > 1
        if all(_RULE.fullmatch(cell) for cell in cells if trimmed(cell)):
            return "a line of dashes, as sqlcmd writes under its header, is no row; leave it out"
        if not self._shape.fits(cells):
            open_quote = ": is a quote left open?" if several else ""
            return f"{len(cells)} cells under {len(self.header)} columns{open_quote}"
        if self._columns.naming.renamed(map(trimmed, cells)) == self.header:
            return "the header again: were files put together?"
        if several and self._shape.swallows(record.lines):
            return "a quoted cell holds what looks like rows: is a quote left open?"
        if several and self._shape.is_odd(cells):
            return "a quoted cell over several lines, and a photo unlike others: is a quote closed too early?"
        if self._behind_damage and self._shape.is_odd(cells):
            return "this looks like the rest of the damaged row before it"
        return ""

    def _reject(self, number: int, record: _Record, error: str) -> RawRow:
        """Reject a damaged row with the lines that are no rows of their own; from the first that is one, read on."""
        lines, shape = record.lines, self._shape
        kept = self._damaged_lines(lines) if record.error or len(lines) > 1 else 1
        self._lines.put_back(lines[kept:])
        names = [name for line in lines[:kept] for name in shape.ids(shape.literal(line))]
        may_name = possible_ids([*shape.ids(record.cells), *names])
        detail = f"{record.where(kept)}: {error}"
        return RawRow(number, {}, "bad_row", detail, record.line, may_name)

    def _damaged_lines(self, lines: list[str]) -> int:
        """Return how many lines a damaged row takes, of those that were read for it and of more that are its text."""
        if self._shape.is_row(self._shape.unquoted(lines[0])):
            return 1
        for kept, line in enumerate(lines[1:], 1):
            if self._is_whole(line):
                return kept
        quote = self._notation.quote
        while quote and "".join(lines).count(quote) % 2 and len(lines) < _MAX_LINES:
            line = next(self._lines, "")  # which joins `lines`
            if not line or self._is_whole(line):
                return len(lines) - bool(line)
        return len(lines)

    def _is_whole(self, line: str) -> bool:
        """Tell whether a line is a row by itself, without a quote out of place."""
        try:
            cells: list[str] = next(self._parser(iter([line])), [])
        except csv.Error:
            return False
        quote = self._notation.quote
        balanced = not (quote and line.count(quote) % 2)
        return balanced and len(cells) == len(self.header) and not self._shape.is_odd(cells)


def _fields(read: Collection[str], header: Collection[str]) -> dict[str, str]:
    """Return the fields that are read of objects in cells, and the column of each: `images[].src` is in images."""
    heads = {name: [name[: cut.start()] for cut in _CUT.finditer(name)] for name in read if name not in header}
    return {name: head for name, above in heads.items() if (head := next(filter(header.__contains__, above), None))}


def _unwrapped(cell: str) -> str:
    found = _FORMULA.fullmatch(cell) if '="' in cell else None
    return found[1].replace('""', '"') if found else cell


def _explain(error: str, lines: Sequence[str]) -> str:
    if "expected after" in error:
        escaped = "; are quotes escaped by a backslash (catalogue.escape)?" if '\\"' in "".join(lines) else ""
        return f"text follows a closing quote: is a quote left open, or not doubled?{escaped}"
    if "unexpected end" in error:
        return "a quote is left open to the file's end"
    if "field limit" in error:
        return f"a cell is longer than {MAX_CELL_CHARACTERS:,} characters: is a quote left open?"
    return error
