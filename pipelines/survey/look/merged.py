"""Columns that a spreadsheet wrote with merged cells: a value in the first of several rows, and blanks below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pipelines.catalogue.formats.base import RawRow
from pipelines.config.shop import CatalogueSection
from pipelines.survey.draft.profile import texts_of
from pipelines.survey.look.findings import ODD, Finding

_BLANK: Final = 0.5
_FEWEST: Final = 5
"""Values in a column; fewer may stand apart by chance."""
_FIX: Final = (
    "unmerge the cells in the spreadsheet, fill each blank with the value above it, and export it again; if the rows "
    "below are parts of one item, set catalogue.columns.continues"
)


def merged_findings(rows: Sequence[RawRow], section: CatalogueSection) -> Iterator[Finding]:
    """Yield the columns of categories and attributes that look as if their cells were merged."""
    columns = section.columns
    if columns.continues:
        return
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


def _examples(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the first value, and how many blanks are below it."""
    below = next((n for n, cell in enumerate(cells[1:]) if cell), len(cells) - 1)
    return (f"{cells[0]!r} and {below} blanks",)
