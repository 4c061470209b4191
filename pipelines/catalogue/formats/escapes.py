"""Lines of a delimited text -> the same, with what `csv` does not know of characters behind an escape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from pipelines.catalogue.formats.base import Notation

_LETTERS = {"0": "\0", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
"""What letters stand for where there are no quotes: in PostgreSQL's COPY and in MySQL's files."""


def spelt_out(lines: Iterator[str], notation: Notation) -> Iterator[str]:
    """Yield the lines without the mark of no value, and with the characters that letters behind the escape stand for.

    The escape stays before them, for a tab that is meant parts no cells.
    """
    if not notation.escape:
        return lines
    escape, delimiter = re.escape(notation.escape), re.escape(notation.delimiter)
    no_value = re.compile(rf"(^|{delimiter}){escape}N(?={delimiter}|\r?\n?$)")  # else a letter
    lines = map(partial(no_value.sub, r"\1"), lines)
    if notation.quote:  # Spark's letters are letters
        return lines
    return map(partial(re.compile(rf"({escape})(.)", re.DOTALL).sub, _meant), lines)


def _meant(found: re.Match[str]) -> str:
    return found[1] + _LETTERS.get(found[2], found[2])
