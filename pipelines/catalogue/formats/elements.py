"""A text of XML -> the pieces that are its rows, in the memory of one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from pipelines.catalogue.formats.base import UnreadableError
from pipelines.catalogue.formats.xml_shape import USUAL_ROW, row_of

MAX_CHARACTERS: Final = 1 << 24
"""Of one row."""
_CHUNK: Final = 1 << 16
_LOOK_BACK: Final = 256
"""A tag's name is shorter."""
_ROOT: Final = re.compile(r"<(?!\?|!)([\w.:-]+)[^<>]*?(/?)>")
_HEAD: Final = 1 << 16
"""Characters by which rows are told."""
_ENDS: Final = {"<!--": "-->", "<![CDATA[": "]]>"}


@dataclass(frozen=True)
class Element:
    """One row: its markup, the lines where it begins and ends; it is not whole if another begins within it."""

    line: int
    last_line: int
    markup: str
    is_whole: bool = True

    @property
    def where(self) -> str:
        """Its lines, for a message."""
        return f"line {self.line}" if self.line == self.last_line else f"lines {self.line} to {self.last_line}"


class Elements:
    """The rows of a text: the elements of one name that stand above others of which there are several.

    Where its beginning does not tell them, they are `<item>`, `<entry>`, `<product>` or `<offer>`, whichever is first.

    When they are read, `is_cut` tells whether the text ended before its `root` did; `rest` is what is left of a row
    then, and `line` where it begins. Raises UnreadableError for a text that is no feed, or a row that has no end.
    """

    def __init__(self, text: IO[str]) -> None:
        self._text, self._buffer = text, ""
        self._at, self._passed = 0, 0  # of the buffer: where to look on, and what counts as read
        self._start: int | None = None
        self.line, self.rest = 1, ""
        self.root, self.is_cut = self._root()
        while len(self._buffer) < min(_HEAD, MAX_CHARACTERS) and self._more():
            pass
        self._row = re.escape(row_of(self._buffer))
        self._mark = _mark_of(self._row or USUAL_ROW, self.root)

    def __iter__(self) -> Iterator[Element]:
        while (found := self._next()) is not None:
            begin, end = found.start(), self._behind(_ENDS.get(found[0], ">"), found.end())
            self._at = end
            if found["end"]:
                self.is_cut = False
            elif found["open"]:
                if self._start is not None:
                    yield self._taken(self._start, begin, is_whole=False)
                self._begin(found["open"], begin)
            if self._start is not None and (found["close"] or (found["open"] and self._buffer[end - 2] == "/")):
                yield self._taken(self._start, end)
                self._start = None
        if self._start is not None:
            self._pass(self._start)
            self.is_cut, self.rest = True, self._buffer[self._passed :]

    def _root(self) -> tuple[str, bool]:
        """Return the name of the root, and whether it has yet to end."""
        while not (found := _ROOT.search(self._buffer)):
            if len(self._buffer) > MAX_CHARACTERS or not self._more():
                raise UnreadableError("it has no element of XML; see what the export wrote, and export it again")
        if found[1].lower() == "html":
            raise UnreadableError(
                "it is a web page, not a feed, such as an error or a log-in; see what the export wrote, and export it "
                "again"
            )
        return found[1], not found[2]

    def _next(self) -> re.Match[str] | None:
        """Return the next tag of a row, comment or CDATA, None behind the last."""
        while not (found := self._mark.search(self._buffer, self._at)):
            self._at = max(self._at, len(self._buffer) - _LOOK_BACK)
            self._forget()
            if not self._more():
                return None
        return found

    def _begin(self, name: str, at: int) -> None:
        """Begin a row; those that follow have its name."""
        self._start = at
        if not self._row:
            self._row, self._mark = re.escape(name), _mark_of(re.escape(name), self.root)

    def _forget(self) -> None:
        """Keep no more of what was read than the row that has begun."""
        self._pass(self._at if self._start is None else self._start)
        self._buffer, self._at, self._passed = self._buffer[self._passed :], self._at - self._passed, 0
        self._start = None if self._start is None else 0

    def _more(self) -> bool:
        chunk = self._text.read(_CHUNK)
        self._buffer += chunk
        if len(self._buffer) - self._passed > MAX_CHARACTERS + _CHUNK:
            raise UnreadableError(
                f"what begins in line {self.line} is longer than {MAX_CHARACTERS:,} characters; export the feed again"
            )
        return bool(chunk)

    def _behind(self, mark: str, begin: int) -> int:
        """Return where a mark ends that follows; where a comment or CDATA has none, where the next row begins."""
        looked = begin
        while (end := self._buffer.find(mark, looked)) < 0:
            looked = max(begin, len(self._buffer) - len(mark))
            if not self._more():
                end = len(self._buffer)
                break
        row = self._row or USUAL_ROW
        other = mark != ">" and re.search(rf"</{row}\s*>\s*<{row}[\s>]", self._buffer[begin:end], re.IGNORECASE)
        return begin + other.start() if other else end + len(mark)

    def _taken(self, start: int, end: int, *, is_whole: bool = True) -> Element:
        self._pass(start)
        line = self.line
        self._pass(end)
        return Element(line, self.line, self._buffer[start:end], is_whole)

    def _pass(self, to: int) -> None:
        """Count what was read up to there, and its lines."""
        self.line += self._buffer.count("\n", self._passed, to)
        self._passed = to


def _mark_of(row: str, root: str) -> re.Pattern[str]:
    tags = rf"<(?P<open>{row})(?=[\s/>])|</(?P<close>{row})(?=[\s>])|</(?P<end>{re.escape(root)})(?=[\s>])"
    return re.compile(rf"<!--|<!\[CDATA\[|{tags}", re.IGNORECASE)
