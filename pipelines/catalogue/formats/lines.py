"""The lines of a text, numbered as an editor numbers them; lines that were read too far can be put back."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Sequence
from typing import IO

from pipelines.catalogue.formats.base import UnreadableError

MAX_LINE_CHARACTERS = 1 << 24
_END_OF_FILE = "\x1a"
"""What DOS writes behind the last line, Ctrl-Z."""


class Rewound:
    """A text of which a first part was read already, from its beginning."""

    def __init__(self, before: str, text: IO[str]) -> None:
        if before.endswith("\r"):  # which may be half of a line's end
            before += text.read(1)
        self._before, self._text = io.StringIO(before, newline=""), text

    def read(self, size: int) -> str:
        """Return at most so many characters, "" behind the last."""
        return self._before.read(size) or self._text.read(size)

    def readline(self, size: int) -> str:
        """Return the next line with its end, or its first part if it is longer."""
        line = self._before.readline(size)
        if line.endswith(("\n", "\r")) or len(line) == size:
            return line
        return line + self._text.readline(size - len(line))


class Lines:
    """An iterator of lines with their ends; `number` is that of the last one, `taken` are those since `mark()`.

    Raises UnreadableError for a line that is no line of a table: it may not fit into memory.
    """

    def __init__(self, text: IO[str] | Rewound) -> None:
        self._text = text
        self._back: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def mark(self) -> None:
        """Start to collect `taken` anew."""
        self.taken = []

    def put_back(self, lines: Sequence[str]) -> None:
        """Have the last lines that were taken be read again."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._text.readline(MAX_LINE_CHARACTERS)
        if line.endswith(_END_OF_FILE):  # which only the last one does, for others end with their line's end
            line = line.rstrip(_END_OF_FILE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE_CHARACTERS:
            raise UnreadableError(
                f"line {self.number} is longer than {MAX_LINE_CHARACTERS:,} characters; export the table again"
            )
        self.taken.append(line)
        return line
