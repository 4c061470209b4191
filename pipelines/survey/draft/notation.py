"""How a text feed is written: encoding, mark between cells, quotes, lines above the header.

Each way is tried by the catalogue's own reader; the one counts with which most cells of most rows have a named column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.catalogue.formats.base import Columns, FeedError, Notation, RawRow
from pipelines.catalogue.headers import LINES_ABOVE
from pipelines.catalogue.rows import column_names, format_of, read_rows
from pipelines.survey.code_pages import code_page
from pipelines.survey.draft.profile import ADDRESS, PICTURE, is_date, is_number

ROWS = 200
"""That each way of reading is tried on."""
_DELIMITERS = ",;\t|"
_HEAD_BYTES = 1 << 18
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_DAMAGED = 0.01
"""The share of lines that may be no UTF-8 in a feed that is."""
_WELL = 0.9
"""A share of rows with which no other quotes are tried."""
_LONGEST_NAME = 60
_FIELD, _FIELDS = re.compile(r"[a-z][a-z0-9_]*"), 4
"""The name of a field in a program, and the fewest that are a header."""


@dataclass(frozen=True)
class Written:
    """How a file is written, as a notation and as the keys of a config that say so, each with why."""

    notation: Notation
    keys: dict[str, Any]
    why: dict[str, str]


def written(file: Path) -> Written:
    """Tell how a feed file is written. Raises FeedError where nobody could read it as a table."""
    kind = format_of(file)
    if kind == "parquet":
        return Written(Notation(), {}, {})
    encoding, why = ("utf-8", "") if kind == "xml" else _encoding(file)
    keys: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    reasons = {"encoding": why} if keys else {}
    if kind != "csv":
        return Written(Notation(encoding=encoding), keys, reasons)
    best = _best(file, Notation(encoding=encoding))
    names = column_names(file, best)
    if not names:
        raise FeedError(f"{file} is empty: it has no header and no rows; export it again")
    if _names(names) < 1:
        shown = ", ".join(map(repr, names[:4]))
        raise FeedError(f"{file} has no header: its first line, {shown}, is a row; put a line with names above it")
    for key, reason in (
        ("delimiter", f"between the {len(names)} columns of the header"),
        ("quote", "around cells" if best.quote else "quotes are text in this file"),
        ("escape", "stands before quotes within cells"),
        ("skip_lines", "lines above the header"),
    ):
        if getattr(best, key) != getattr(Notation(), key):
            keys[key], reasons[key] = getattr(best, key), reason
    return Written(best, keys, reasons)


def _best(file: Path, base: Notation) -> Notation:
    marks = _DELIMITERS if ".tsv" not in file.suffixes else "\t"
    ways = [replace(base, delimiter=mark, skip_lines=skip) for skip in range(LINES_ABOVE + 1) for mark in marks]
    worth = {way: _worth(file, way) for way in ways}
    best = max(ways, key=worth.__getitem__)  # of equal ones the first: the fewest lines above
    best = _below_titles(file, best)
    if _sound(file, best) < _WELL:
        texts = [] if _encloses(file, best) else [replace(best, quote="")]
        others = [replace(best, escape="\\"), *texts, replace(best, quote="'")]  # of equal ones the first
        best = max([best, *others], key=lambda way: (round(_sound(file, way), 2), way == best))
    return best


def _below_titles(file: Path, way: Notation) -> Notation:
    """Return the way in which a second header counts, of names for programs, as Amazon has it below one for people."""
    below = replace(way, skip_lines=way.skip_lines + 1)
    if below.skip_lines > LINES_ABOVE or all(map(_FIELD.fullmatch, column_names(file, way))):
        return way
    names = column_names(file, below)
    is_header = len(names) >= _FIELDS and len({*names}) == len(names) and all(map(_FIELD.fullmatch, names))
    return below if is_header and 2 * sum("_" in name for name in names) > len(names) else way


def _encloses(file: Path, way: Notation) -> bool:
    """Tell whether quotes stand around cells, whole or cut by the mark between these, not around words or at inches."""
    around = re.compile("{0}(?:[^{0}]|{0}{0})*{0}?".format(re.escape(way.quote)))
    rows = sample(file, replace(way, quote=""), Columns(), ROWS)
    cells = [cell for row in rows for cell in row.values.values() if isinstance(cell, str) and way.quote in cell]
    return 2 * sum(around.fullmatch(cell) is not None for cell in cells) > len(cells)


def _worth(file: Path, way: Notation) -> float:
    """Return how many columns of a header have a name, times the share of the rows that fit it."""
    try:
        names = column_names(file, way)
    except FeedError:
        return 0.0
    good = _names(names)
    return good * _sound(file, way) if good > 1 or len(names) == 1 else 0.0


def _sound(file: Path, way: Notation) -> float:
    rows = list(sample(file, way, Columns(), ROWS))
    return sum(row.code != "bad_row" for row in rows) / len(rows) if rows else 0.0


def _names(header: list[str]) -> float:
    """Return how many cells of a header are names: each once, and no value of anything."""
    names = {name for name in header if name and len(name) <= _LONGEST_NAME and not _is_value(name)}
    values = sum(map(_is_value, header))
    return 0.0 if values > len(header) / 4 else len(names) - values


def _is_value(name: str) -> bool:
    return bool(is_number(name) or is_date(name) or PICTURE.search(name) or ADDRESS.match(name))


def sample(file: Path, notation: Notation, columns: Columns, most: int) -> Iterator[RawRow]:
    """Yield the first rows of a file, none of a file that ends the reader."""
    with suppress(FeedError):
        yield from islice(read_rows(file, notation, columns), most)


def _encoding(file: Path) -> tuple[str, str]:
    """Return the encoding of a text, and what tells it."""
    head = _head(file)
    if head.startswith(_BOMS) or (head.isascii() and b"\0" not in head):
        return "utf-8", ""
    if 4 * head.count(0) >= len(head) > 0:
        return f"utf-16-{'le' if head[0] else 'be'}", "every other byte is 0, and no byte order mark says it"
    every = head.splitlines()[:-1] or [head]
    lines = [line for line in every if not line.isascii()]
    odd = [line for line in lines if not _is_utf_8(line)]
    is_damage = 2 * len(odd) <= len(lines) or (len(odd) < _DAMAGED * len(every) and every[0] not in odd)
    if is_damage:  # of a few rows, which are rejects
        return "utf-8", ""
    name = code_page(every)
    shown = odd[0].decode(name, "replace").strip()[:_LONGEST_NAME]
    return name, f"not UTF-8; so read, a line is {shown!r}"


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _head(file: Path) -> bytes:
    import gzip

    with file.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(file) if packed else file.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except (OSError, EOFError) as error:
        raise FeedError(f"{file} cannot be read: {error}; replace the file") from error
