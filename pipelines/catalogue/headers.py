"""Whether the columns of feed files are what the mapping needs."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from pipelines.catalogue.arrivals import DELTAS, MEDIA
from pipelines.catalogue.feeds import FeedFile
from pipelines.catalogue.formats.base import Columns, FeedError, Notation
from pipelines.catalogue.formats.naming import Naming
from pipelines.catalogue.formats.nested import ANY, plain_path
from pipelines.catalogue.rows import column_names, format_of
from pipelines.catalogue.shops import also_read, is_made
from pipelines.config import CatalogueSection
from pipelines.config.shop import listed
from pipelines.config.words import NONE

LINES_ABOVE = 10
"""Of a header that is not on the first line: where it is looked for."""


def check_columns(section: CatalogueSection, files: Iterable[FeedFile]) -> None:
    """Raise FeedError when a file lacks a mapped column; it names the column, the config key and what is there."""
    for file in files:
        _check_file(section, file)


def columns_of(section: CatalogueSection, feed: str) -> Columns:
    """Return which columns of a feed are read, and what for."""
    read = frozenset(_wanted(section, feed))
    if feed == MEDIA and section.media:
        columns = section.media.columns
        return Columns(columns.item_id, frozenset({columns.photo}), read)
    photos = frozenset(section.columns.photo_columns)
    return Columns(section.columns.item_id, photos, read, also_read(section.format), Naming.of(section))


def _check_file(section: CatalogueSection, file: FeedFile) -> None:
    there = column_names(file.file, Notation.of(section), columns_of(section, file.feed))
    if not there:
        raise FeedError(f"{file.file} is empty: it has no header and no rows; replace it, or leave it out of the feed")
    wanted = _wanted(section, file.feed)
    twice = next((column for column in wanted if there.count(column) > 1), None)
    if twice is not None:
        raise FeedError(f"{file.file} has {there.count(twice)} columns {twice!r}; rename all but the one that is meant")
    lacking = [
        column for column in wanted if not _has(there, column) and not _may_lack(section, file, column, wanted, there)
    ]
    if lacking:
        raise FeedError(_no_columns(section, file, {column: wanted[column] for column in lacking}, there))


def _has(there: list[str], column: str) -> bool:
    maps = [name.removesuffix(ANY) for name in there if name.endswith(ANY)]
    path = plain_path(column)
    return column in there or path in there or any(path.startswith(f"{name}.") for name in maps)


def _may_lack(section: CatalogueSection, file: FeedFile, column: str, wanted: dict[str, str], there: list[str]) -> bool:
    """Tell whether a feed is sound without a column: JSON rows leave out what is empty, deletes all but the id.

    Of those that its format names, a file needs but one that says a thing which no item can do without.
    """
    key = wanted[column]
    if is_made(section.format, column):
        return True
    if file.feed == DELTAS and any(_has(there, name) for name in listed(section.columns.deleted)):
        return column != section.columns.item_id
    if file.feed != MEDIA and column in section.brought:
        instead = _instead(section, column)
        return not instead or any(_has(there, name) for name in instead)
    if key == "deleted":  # many feeds mark deletes in some files only, but a slip of the pen must not keep items alive
        return NONE not in section.gone_words(column) and _nearest(column, there) is None
    if file.feed != DELTAS and format_of(file.file) not in {"json", "xml"}:
        return False
    needed = key in {"item_id", "category", "photos", "photo"}
    return not needed or any(column in there for column, other in wanted.items() if other == key)


def _instead(section: CatalogueSection, column: str) -> list[str]:
    """Return the columns of which one must be there where another one is not; none where no item needs them."""
    columns = section.columns
    groups = ([columns.item_id], columns.photo_columns, columns.category_columns)
    return next((group for group in groups if column in group), [])


def _no_columns(section: CatalogueSection, file: FeedFile, lacking: dict[str, str], there: list[str]) -> str:
    table = "catalogue.media.columns" if file.feed == MEDIA else "catalogue.columns"
    if len(there) == 1 and format_of(file.file) == "csv" and any(mark in there[0] for mark in ";\t|,"):
        lacking = dict([next(iter(lacking.items()))])
        hint = f"is catalogue.delimiter = {section.delimiter!r} right? "
    else:
        near = {column: _nearest(column, there) for column in lacking}
        meant = [f"{one!r}" if len(lacking) == 1 else f"{one!r} for {name!r}" for name, one in near.items() if one]
        hint = f"did you mean {', '.join(meant)}? " if meant else ""
    above = _lines_above(section, file, lacking)
    if above:
        hint = f"a line further down does: set catalogue.skip_lines = {above}; "
    if file.feed == DELTAS:
        hint += "rows of deltas are whole items, or name one that is deleted; "
    names = ", ".join(f"no column {column!r}, which {table}.{key} names" for column, key in lacking.items())
    return f"{file.file} has {names}; {hint}its columns are: {', '.join(map(_on_a_line, there))}"


def _on_a_line(name: str) -> str:
    """Return a name with its line breaks and tabs as TOML escapes them in double quotes."""
    return name.translate({ord(sign): json.dumps(sign)[1:-1] for sign in "\n\r\t"})


def _lines_above(section: CatalogueSection, file: FeedFile, lacking: dict[str, str]) -> int:
    """Return how many lines further down the header may stand that has what is lacking, 0 where it does not."""
    notation = Notation.of(section)
    if format_of(file.file) != "csv":
        return 0
    for more in range(1, LINES_ABOVE + 1):
        with suppress(FeedError):
            if lacking.keys() <= {*column_names(file.file, replace(notation, skip_lines=notation.skip_lines + more))}:
                return notation.skip_lines + more
    return 0


def _nearest(column: str, there: list[str]) -> str | None:
    """Return the column that a name may stand for, whatever its case."""
    folded = {name.casefold(): name for name in there}
    near = difflib.get_close_matches(column.casefold(), folded, 1)
    return folded[near[0]] if near else None


def _wanted(section: CatalogueSection, feed: str) -> dict[str, str]:
    if feed != MEDIA or section.media is None:
        return section.columns.names
    columns = section.media.columns
    wanted = {v: k for k, v in columns.model_dump(exclude={"box"}).items() if v}
    return wanted | dict.fromkeys(columns.box or (), "box")
