"""What the shop says of single items against its own feed: a category, attributes. It stands above all feeds.

A sheet says it, and the curators' log, whose categories stand above the sheet's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from pipelines.catalogue.aliases import Path, path_in
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.sheets import Line, Sheet
from pipelines.config import Columns
from pipelines.curated import Curated
from pipelines.tables.spelling import fold_spelling, visible

COLUMNS: Final = ("item_id", "category", "date")
"""What a sheet may have beside attributes; `date` says which of two lines of one item counts."""


def names_of(columns: Columns) -> dict[str, str]:
    """Return what the columns of a sheet may be called: as the feed calls them, or as we do."""
    theirs = {name: ours for ours, name in columns.attributes.items()} | {columns.item_id: "item_id"}
    if isinstance(columns.category, str):
        theirs[columns.category] = "category"
    return theirs | {name: name for name in (*columns.attributes, *COLUMNS)}


@dataclass(frozen=True)
class Correction:
    """What an item is, as far as a line says it: () and no attributes are left to the feed.

    `line` is 0 where no sheet names the item, `decision` the number of the curators' one that says its category, or 0.
    """

    line: int
    category: Path = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    decision: int = 0


def read_corrections(sheet: Sheet, columns: Columns) -> dict[str, Correction]:
    """Return the corrections of a sheet by item id. Raises FeedError that names the line, or both, and the fix."""
    unknown = [name for name in sheet.columns if name not in (*COLUMNS, *columns.attributes)]
    if sheet.lines and ("item_id" not in sheet.columns or unknown):
        mapped = ", ".join(columns.attributes) or "none"
        raise FeedError(
            f"{sheet.file} has the columns {', '.join(sheet.columns)}; it needs item_id, and category or attributes of "
            f"catalogue.columns.attributes (mapped are: {mapped})"
        )
    found: dict[str, Correction] = {}
    for line in sheet.lines:
        item_id, correction = visible(line.text("item_id")), _correction(sheet, line, columns)
        if not item_id:
            raise sheet.wrong(line.number, "there is no item_id; write one, or remove the line")
        found[item_id] = _of_two(sheet, item_id, found.get(item_id), correction)
    return found


def with_curated(sheet: Mapping[str, Correction], curated: Curated) -> dict[str, Correction]:
    """Return the corrections of a sheet with the categories that curators have given."""
    found = dict(sheet)
    for item_id, (number, path) in curated.categories.items():
        found[item_id] = replace(found.get(item_id, Correction(0)), category=path, decision=number)
    return found


def _correction(sheet: Sheet, line: Line, columns: Columns) -> Correction:
    attributes = {name: value for name in columns.attributes if (value := fold_spelling(line.text(name)))}
    path = path_in(sheet, line, "category", columns)
    if not path and not attributes:
        raise sheet.wrong(line.number, "it says neither a category nor an attribute; write one, or remove the line")
    return Correction(line.number, path, attributes, _date(sheet, line))


def _date(sheet: Sheet, line: Line) -> str:
    """Return a date so that later ones sort behind earlier ones, "" for none."""
    said = line.text("date")
    try:
        moment = datetime.fromisoformat(said) if said else None
    except ValueError as error:
        raise sheet.wrong(line.number, f"date {said!r} is not as 2026-11-28 or 2026-11-28T13:14:15Z") from error
    if moment is None:
        return ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _of_two(sheet: Sheet, item_id: str, before: Correction | None, now: Correction) -> Correction:
    """Return which of two lines of an item counts: the later one by date."""
    if before is None:
        return now
    if not before.date or not now.date or before.date == now.date:
        raise FeedError(
            f"{sheet.file}: lines {before.line} and {now.line} both correct item {item_id!r}; remove one, or date them "
            "in a column `date` (2026-11-28): the later one counts"
        )
    return max(before, now, key=lambda one: one.date)
