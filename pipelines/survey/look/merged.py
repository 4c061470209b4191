"""Columns that a spreadsheet wrote with merged cells: a value in the first of several rows, and blanks below it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice, pairwise
from typing import Final

from pipelines.catalogue.arrivals import SNAPSHOT
from pipelines.catalogue.feeds import find_feeds
from pipelines.catalogue.formats.base import FeedError, Notation, RawRow
from pipelines.catalogue.headers import columns_of
from pipelines.catalogue.rows import read_rows
from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.store import StoreError
from pipelines.survey.draft.profile import texts_of
from pipelines.survey.look.findings import ODD, Finding

ROWS: Final = 5_000
"""The rows of the first file that are looked at."""
_BLANK: Final = 0.5
_FEWEST: Final = 5
"""Values in a column; fewer may stand apart by chance."""
_FIX: Final = (
    "unmerge the cells in the spreadsheet, fill each blank with the value above it, and export it again; if the rows "
    "below are parts of one item, set catalogue.columns.continues"
)


def merged_findings(config: Config) -> Iterator[Finding]:
    """Yield the columns of categories and attributes that look as if their cells were merged.

    A feed behind an address is kept in the config's store, which is to be one that is thrown away.
    """
    columns = config.catalogue.columns
    if columns.continues:
        return
    rows = _first_rows(config)
    named = dict.fromkeys(columns.category_columns, "category")
    for column, key in (named | {column: f"attribute {name}" for name, column in columns.attributes.items()}).items():
        cells = [" ".join(texts_of(row.values.get(column))) for row in rows]
        if is_merged(cells):
            what = (
                f"column {column!r} ({key}) is blank in {cells.count(''):,} of the first {len(cells):,} rows, in runs "
                "below a value, as a spreadsheet writes merged cells"
            )
            yield Finding("merged_cells", ODD, what, examples=_examples(cells), fix=_FIX)


def is_merged(cells: Sequence[str]) -> bool:
    """Tell whether most cells are blank, the first is not, and no value is that of the run before it."""
    filled = [cell for cell in cells if cell]
    if len(filled) < _FEWEST or not cells[0] or len(filled) > (1 - _BLANK) * len(cells):
        return False
    return all(one != next_one for one, next_one in pairwise(filled))


def _first_rows(config: Config) -> list[RawRow]:
    section = config.catalogue
    with suppress(FeedError, StageError, StoreError):  # which the catalogue stage tells of
        for one in find_feeds(config, time.time()).of(SNAPSHOT):
            rows = read_rows(one.file, Notation.of(section), columns_of(section, SNAPSHOT))
            return [row for row in islice(rows, ROWS) if not row.code]
    return []


def _examples(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the first value, and how many blanks are below it."""
    below = next((n for n, cell in enumerate(cells[1:]) if cell), len(cells) - 1)
    return (f"{cells[0]!r} and {below} blanks",)
