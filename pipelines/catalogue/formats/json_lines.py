"""JSON lines -> raw rows: one object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from pipelines.catalogue.formats.base import Columns, RawRow, UnreadableError, is_text, possible_ids
from pipelines.catalogue.formats.lines import Lines
from pipelines.catalogue.formats.nested import names_of, picked
from pipelines.catalogue.formats.text import no_text, shown

_ROWS_FOR_NAMES = 1000
_FIXES = {"{": ", such as with jq -c .", "[": ", such as with jq -c '.[]'"}
"""How to write one object a line, by what a file begins with: objects over several lines, or one list of all."""
_OPENINGS = frozenset({"{", "[", "[{"})
"""First lines of what is written over several."""


def read_json_lines(text: IO[str], columns: Columns, encoding: str) -> Iterator[RawRow]:
    """Yield the rows; empty lines are none."""
    yield from _rows(Lines(text), columns, encoding)


def _rows(lines: Lines, columns: Columns, encoding: str) -> Iterator[RawRow]:
    number = 0
    for line in lines:
        lines.mark()
        if line.strip():
            number += 1
            yield _row(number, lines.number, line, columns, encoding)


def json_names(text: IO[str], encoding: str) -> list[str]:
    """Return the names of the first rows' fields. Raises UnreadableError when there are rows, and none is an object."""
    lines = Lines(text)
    first = next((line for line in lines if line.strip()), "")
    lines.put_back([first] if first else [])
    names: dict[str, None] = {}
    first_bad = None
    for _, row in zip(range(_ROWS_FOR_NAMES), _rows(lines, Columns(), encoding), strict=False):
        _check_not_wrapped(row)
        names.update(dict.fromkeys(names_of(row.values)))
        first_bad = first_bad or (row if row.code else None)
    if first_bad is not None and (not names or first.strip() in _OPENINGS):
        raise UnreadableError(
            f"its lines are no JSON objects (row {first_bad.number}: {first_bad.detail}); write one object a line"
            + _FIXES.get(first.strip()[0], "")
        )
    return list(names)


def _check_not_wrapped(row: RawRow) -> None:
    """Raise UnreadableError for a row that holds nothing but other rows."""
    for name, value in row.values.items():
        if len(row.values) == 1 and isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            raise UnreadableError(
                f"its row {row.number} holds rows in a list, {name!r}; write one object a line, such as with jq -c "
                f"'.{name}[]'"
            )


def _row(number: int, place: int, line: str, columns: Columns, encoding: str) -> RawRow:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return RawRow(number, {}, "bad_row", f"not JSON: {error}", place, _ids_in(line, columns))
    if not isinstance(values, dict):
        return RawRow(number, {}, "bad_row", f"a JSON {type(values).__name__}, not an object", place)
    read = picked(values, columns.read) if columns.read else values
    # An escape such as "\ud83d" is ASCII, and still no text.
    bad = [] if line.isascii() and "\\u" not in line else [name for name in read if not _is_text(name, read[name])]
    if not bad:
        return RawRow(number, read, place=place)
    why = no_text(json.dumps(read[bad[0]], ensure_ascii=False), encoding)
    good = {name: value for name, value in read.items() if name not in bad}
    return RawRow(number, good, "bad_utf8", f"column {shown(bad[0])!r} {why}; see catalogue.encoding", place)


def _is_text(name: str, value: Any) -> bool:
    return is_text(name) and is_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _ids_in(line: str, columns: Columns) -> tuple[str, ...]:
    """Return what a broken line says its id is."""
    key = re.escape(json.dumps(columns.item_id, ensure_ascii=False))
    found = re.search(rf'{key}\s*:\s*(?:"([^"\\]*)"|([\w.-]+))', line)
    return possible_ids(found.groups("")) if found and columns.item_id else ()
