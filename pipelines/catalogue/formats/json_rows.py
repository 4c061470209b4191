"""JSON -> raw rows: one object a line, or a document that holds them; which it is, its beginning tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import IO, Any

from pipelines.catalogue.formats.base import Columns, RawRow, UnreadableError, possible_ids
from pipelines.catalogue.formats.json_document import Document, Value, list_within
from pipelines.catalogue.formats.lines import Lines, Rewound
from pipelines.catalogue.formats.nested import names_of
from pipelines.catalogue.formats.objects import checked_values

_ROWS_FOR_NAMES = 1000
_HEAD_CHARACTERS = 1 << 20
_STRING = r'"(?:[^"\\]|\\.)*+"'
_BEFORE = rf"(?:{_STRING}\s*:\s*(?:{_STRING}|[\w.+-]+)\s*,\s*)*"
"""Fields of an object that are neither lists nor objects."""
_FIRST_LIST = re.compile(rf"\s*((?:\{{\s*{_BEFORE}{_STRING}\s*:\s*)+)\[\s*\{{")
"""The beginning of an object that holds a list of objects, and of none that is done before it."""
_BESIDE_OTHERS = 2
"""How many times as much of likely names the rows in a line hold than it does itself, where lines are not rows."""
_LAST_KEY = re.compile(rf"({_STRING})\s*:\s*(?:\{{|$)")


def read_json(text: IO[str], columns: Columns, encoding: str) -> Iterator[RawRow]:
    """Yield the rows; empty lines are none."""
    return (_row(number, value, columns, encoding) for number, value in enumerate(_values(text, columns), 1))


def json_names(text: IO[str], columns: Columns, encoding: str) -> list[str]:
    """Return the names of the first rows' fields; which of them are read tells rows from what holds them.

    Raises UnreadableError when there are rows, and none is an object.
    """
    every = replace(columns, read=frozenset())
    found = enumerate(islice(_values(text, columns), _ROWS_FOR_NAMES), 1)
    rows = [_row(number, value, every, encoding) for number, value in found]
    names = dict.fromkeys(name for row in rows for name in names_of(row.values))
    bad = next((row for row in rows if row.code), None)
    if bad is not None and not names:
        raise UnreadableError(
            f"it has no JSON object (row {bad.number}: {bad.detail}); write one object a line, or one list of them"
        )
    return list(names)


def _values(text: IO[str], columns: Columns) -> Iterable[Value]:
    head = text.read(_HEAD_CHARACTERS)
    whole, start = Rewound(head, text), head.lstrip("\ufeff \t\r\n")
    if _is_document(start, columns):
        return Document(whole, _path(start, columns))
    return _of_lines(Lines(whole))


def _is_document(start: str, columns: Columns) -> bool:
    """Tell whether a text is no lines of objects, of which the first one may be damaged."""
    line, _, others = start.partition("\n")
    first = _decoded(line)
    if first is not None:
        return list_within(first, columns, _times(others, columns)) is not None
    if not start.startswith("{"):
        return start.startswith("[")
    if _first_value(start) is not None or line.strip() == "{":
        return True
    return bool(_FIRST_LIST.match(start)) and not any(_decoded(one) for one in others.split("\n", 9)[:-1])


def _times(others: str, columns: Columns) -> int:
    """Return how many times as much of likely names rows hold than the first line, of lines or of a document."""
    return _BESIDE_OTHERS if columns.likely and _decoded(others.partition("\n")[0]) else 1


def _path(start: str, columns: Columns) -> tuple[str, ...] | None:
    """Return where a document has its rows; None where they stand one after another."""
    if start.startswith("["):
        return ()
    first, found = _first_value(start), _FIRST_LIST.match(start)
    if first is not None:
        return list_within(first, columns)
    keys = [_text(key) for key in _LAST_KEY.findall(found[1])] if found else []
    return tuple(keys) if keys and "" not in keys else None


def _text(key: str) -> str:
    try:
        return str(json.loads(key, strict=False))
    except ValueError:  # an escape that is none
        return ""


def _decoded(line: str) -> dict[str, Any] | None:
    try:
        values = json.loads(line.rstrip("\x1a"))
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _first_value(start: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(start)[0]
    except (ValueError, RecursionError):
        return None


def _of_lines(lines: Lines) -> Iterator[Value]:
    for line in lines:
        lines.mark()
        if line.strip():
            yield _value_of(line, lines.number)


def _value_of(line: str, number: int) -> Value:
    try:
        # An escape such as "\ud83d" is ASCII, and still no text.
        return Value(number, json.loads(line), is_plain=line.isascii() and "\\u" not in line)
    except (ValueError, RecursionError) as error:
        return Value(number, why=str(error), text=line)


def _row(number: int, found: Value, columns: Columns, encoding: str) -> RawRow:
    if found.why:
        detail, may_name = f"not JSON: {found.why}", _ids_in(found.text, columns)
        return RawRow(number, {}, "bad_row", detail, found.line, may_name, ends_early=found.is_cut)
    if not isinstance(found.value, dict):
        return RawRow(number, {}, "bad_row", f"a JSON {type(found.value).__name__}, not an object", found.line)
    return checked_values(number, found.line, found.value, columns, encoding, is_plain=found.is_plain)


def _ids_in(text: str, columns: Columns) -> tuple[str, ...]:
    """Return what a broken object says its id is."""
    key = re.escape(json.dumps(columns.item_id, ensure_ascii=False))
    found = re.search(rf'{key}\s*:\s*(?:"([^"\\]*)"|([\w.-]+))', text)
    return possible_ids(found.groups("")) if found and columns.item_id else ()
