"""JSON that is no lines -> raw rows: a list of objects, an object that holds one, or objects one after another.

Objects are decoded one by one, in the memory of one of them. What is no JSON costs its own object where the next one
can be made out: it begins as the damaged one did, on a line of its own or not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from pipelines.catalogue.formats.base import Columns, UnreadableError
from pipelines.catalogue.formats.lines import Rewound
from pipelines.catalogue.formats.nested import picked

MAX_CHARACTERS: Final = 1 << 24
"""Of one row."""
_CHUNK: Final = 1 << 16
_NEAR_THE_END: Final = 32
"""An error that stands there may be of what is not read yet."""
_LOOK_BACK: Final = 256
"""What stands before an object on its line tells those that are like it."""
_BLANK: Final = re.compile(r"[\s\ufeff\x1a]*")
_FIRST_KEY: Final = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:')
_DEPTH: Final = 4
"""Of objects in which rows are looked for."""


@dataclass(frozen=True)
class Value:
    """One value of JSON and the line that it begins in, or `why` there is none, and the `text` of what is broken.

    `is_plain` tells that its texts are texts for certain, `is_cut` that all ends here, before it should.
    """

    line: int
    value: Any = None
    why: str = ""
    text: str = ""
    is_plain: bool = False
    is_cut: bool = False


def list_within(values: Any, columns: Columns, times: int = 1) -> tuple[str, ...] | None:
    """Return the keys that lead to the list of objects which are rows rather than what holds it; None if there is none.

    They hold more of the columns that are read, so many times as many; where these are not known, what holds them has
    nothing else.
    """
    if not isinstance(values, dict):
        return None
    found = {path: _held(rows[0], columns) for path, rows in _lists(values)}
    best = max(found, key=found.__getitem__, default=None)
    if best is None:
        return None
    if not columns.read and not columns.likely:
        return best if len(values) == 1 else None
    return best if found[best] > times * _held(values, columns) else None


def _held(row: Any, columns: Columns) -> int:
    if not columns.likely:
        return len(picked(row, columns.read))
    return len({"".join(filter(str.isalnum, name)).casefold() for name in _fields(row)} & columns.likely)


def _fields(values: dict[str, Any]) -> Iterator[str]:
    """Yield the names of a row's fields, and of those of objects within, as in `_source` or `node`; not in lists."""
    for name, value in values.items():
        yield name
        if isinstance(value, dict):
            yield from _fields(value)


def _lists(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    for name, value in values.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            yield (*path, name), value
        elif isinstance(value, dict) and len(path) < _DEPTH:
            yield from _lists(value, (*path, name))


class Document:
    """The rows of a document: of the lists behind a path of keys, `()` for the document itself; all values for None."""

    def __init__(self, text: IO[str] | Rewound, path: tuple[str, ...] | None) -> None:
        self._text, self._path = text, path
        self._buffer, self._at, self._line = "", 0, 1
        self._decoder = json.JSONDecoder()

    def __iter__(self) -> Iterator[Value]:
        if self._path is None:
            yield from self._rows("")
            return
        while self._next_sign():  # lists may follow each other, as pages that were put together
            if not self._enter(self._path):
                yield Value(self._line, why="here is no list of rows", is_cut=True)
                return
            yield from self._rows("]")
            self._leave(self._path)

    def _rows(self, end: str) -> Iterator[Value]:
        while (sign := self._next_sign(passing=",")) not in ("", end):
            yield (value := self._value())
            if value.is_cut:
                return
            if self._at > _CHUNK + _LOOK_BACK:
                passed = self._at - _LOOK_BACK
                self._buffer, self._at = self._buffer[passed:], _LOOK_BACK
        if sign != end:
            yield Value(self._line, why="the text ends within the list of rows", is_cut=True)
        self._take(end)

    def _enter(self, path: tuple[str, ...]) -> bool:
        """Go to the first row of the list behind some keys; tell whether it is there."""
        for key in path:
            if not self._take("{"):
                return False
            while (name := self._value()).value != key:
                if name.why or not self._take(":") or self._value().why or not self._take(","):
                    return False
            if not self._take(":"):
                return False
        return self._take("[")

    def _leave(self, path: tuple[str, ...]) -> None:
        """Go behind the objects that hold the list."""
        for _ in path:
            while self._take(","):
                if self._value().why or not self._take(":") or self._value().why:
                    return
            self._take("}")

    def _take(self, sign: str) -> bool:
        is_next = bool(sign) and self._next_sign() == sign
        self._pass(self._at + is_next)
        return is_next

    def _next_sign(self, passing: str = "") -> str:
        """Return the next character that is no blank, "" behind the last, and pass over some before it."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._pass(blank.end() if blank else self._at)
            sign = self._buffer[self._at : self._at + 1]
            if sign and sign in passing:
                self._pass(self._at + 1)
            elif sign or not self._more():
                return sign

    def _value(self) -> Value:
        """Return the next value, or what is broken there."""
        self._next_sign()
        line = self._line
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                return self._broken("nested too deep", self._at + 1)
            except json.JSONDecodeError as error:
                near = error.pos >= len(self._buffer) - _NEAR_THE_END or error.msg.startswith("Unterminated")
                if near and self._more():
                    continue
                return self._broken(error.msg, error.pos)
            if end < len(self._buffer) or isinstance(value, dict | list | str) or not self._more():
                self._pass(end)
                return Value(line, value)

    def _broken(self, why: str, wrong_at: int) -> Value:
        """Pass over what is broken, up to the next object that begins as it does, or else to the end."""
        line, begin = self._line, self._at
        indent = self._buffer[self._buffer.rfind("\n", 0, begin) + 1 : begin]
        key = _FIRST_KEY.match(self._buffer, begin)
        first = re.escape(key[0]) if key else r"\{"
        mark = re.compile(rf"\n{indent}(?={first})" if not indent.strip() and begin else rf",\s*(?={first})")
        looked = max(wrong_at - 1, begin)
        while (found := mark.search(self._buffer, looked)) is None:
            if not self._more():
                break
        end = found.start() if found else len(self._buffer)
        text = self._buffer[begin:end]
        self._pass(end)
        return Value(line, why=why, text=text, is_cut=found is None)

    def _more(self) -> bool:
        if len(self._buffer) - self._at > MAX_CHARACTERS:
            raise UnreadableError(
                f"what begins in line {self._line} is longer than {MAX_CHARACTERS:,} characters; export the feed again"
            )
        chunk = self._text.read(_CHUNK)
        self._buffer += chunk
        return bool(chunk)

    def _pass(self, to: int) -> None:
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to
