"""What a row of a delimited text looks like: told from damaged ones, and from lines of a text that look like rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from pipelines.catalogue.formats.base import Columns, Notation
from pipelines.shop_files.uri import PHOTO_ENDING
from pipelines.tables.spelling import trimmed

_PHOTO = re.compile(rf"/|{PHOTO_ENDING}\b", re.IGNORECASE)
_MIN_COLUMNS = 3
"""With fewer, lines of a text look too much like rows."""
_USUAL = 0.9


class Shape:
    """The shape of the rows under a header; learns from sound rows whether photos are named as paths or addresses."""

    def __init__(self, header: Sequence[str], notation: Notation, columns: Columns) -> None:
        self.width = len(header)
        self.named = max((i + 1 for i, name in enumerate(header) if name), default=0)
        self._notation = notation
        self._id = header.index(columns.item_id) if columns.item_id in header else -1
        self._photos = [i for i, name in enumerate(header) if name in columns.photos]
        self._rows, self._with_photo = 0, 0

    def learn(self, cells: Sequence[str]) -> None:
        """Take note of a sound row."""
        self._rows += 1
        self._with_photo += self._names_photo(cells)

    def fits(self, cells: Sequence[str]) -> bool:
        """Tell whether there are as many cells as columns; empty ones may be too many, and unnamed ones may lack."""
        return len(cells) >= self.named and not any(map(trimmed, cells[self.width :]))

    def is_row(self, cells: Sequence[str]) -> bool:
        """Tell whether cells are a row beyond doubt: as many as columns, with an id and what names a photo."""
        return len(cells) == self.width and self._has_id(cells) and (not self._photos or self._names_photo(cells))

    def is_odd(self, cells: Sequence[str]) -> bool:
        """Tell whether cells name photos otherwise than the rows before: behind a damaged row that may be its text."""
        usual = self._rows > 0 and self._with_photo >= _USUAL * self._rows
        named = any(trimmed(cells[place]) for place in self._photos if place < len(cells))
        return usual and named and not self._names_photo(cells)

    def swallows(self, lines: Sequence[str]) -> bool:
        """Tell whether lines that were read as one row are rows of their own: a quote was left open, and ends later."""
        return (
            self.width >= _MIN_COLUMNS
            and bool(self._photos and self._notation.quote)
            and self.is_row(self.unquoted(lines[0]))
            and any(self.is_row(self.literal(line)) for line in lines[1:])
        )

    def ids(self, cells: Sequence[str]) -> list[str]:
        """Return where the id may stand: in its place, or behind a cell that is lost or too many."""
        places = {self._id, self._id + len(cells) - self.width} if self._id >= 0 else set()
        return [cells[place] for place in sorted(places) if 0 <= place < len(cells)]

    def unquoted(self, line: str) -> list[str]:
        """Return the cells of a line whose last quote is left open, had it never been opened."""
        delimiter, quote = self._notation.delimiter, self._notation.quote
        try:
            *cells, rest = next(csv.reader([line], delimiter=delimiter, quotechar=quote or '"'), [""])
        except csv.Error:  # of its length
            return self.literal(line)
        return [*cells, *rest.split(delimiter)]

    def literal(self, line: str) -> list[str]:
        """Return the cells of a line as if quotes enclosed nothing."""
        quote = self._notation.quote
        cells = [cell.strip().strip(quote or None) for cell in line.split(self._notation.delimiter)]
        return [cell.lstrip('="') if cell.startswith('="') else cell for cell in cells]

    def _has_id(self, cells: Sequence[str]) -> bool:
        return self._id < 0 or bool(trimmed(cells[self._id]))

    def _names_photo(self, cells: Sequence[str]) -> bool:
        return any(_PHOTO.search(cells[place]) is not None for place in self._photos if place < len(cells))
