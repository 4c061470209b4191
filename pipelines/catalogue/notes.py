"""What people are told of the feeds that were read, beside counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.catalogue.arrivals import DELTAS, SNAPSHOT
from pipelines.catalogue.categories import (
    FALLBACK,
    HOLES,
    LEVELS,
    NUMBERS,
    OTHER_LEVELS,
    SEVERAL_IN_LEVEL,
    SEVERAL_PATHS,
)
from pipelines.catalogue.continued import CONTINUED, NAMELESS
from pipelines.catalogue.deletion import GONE
from pipelines.catalogue.doubts import LOOKS_EMPTY
from pipelines.catalogue.mapping import OWN_LEVEL, SEVERAL_PHOTOS, SHOWN_OUT_OF_STOCK, UNKNOWN_AVAILABILITY
from pipelines.catalogue.merge import LEFT_OUT
from pipelines.catalogue.overlay import CORRECTED, CURATED, MOVED, NEEDLESS, OF_NO_ITEM
from pipelines.catalogue.photo_cells import SHAPED
from pipelines.catalogue.photo_uris import ESCAPED, TEMPLATE
from pipelines.catalogue.records import CUT_OFF, UNSEEN
from pipelines.catalogue.summary import Summary
from pipelines.catalogue.values import FLOAT_IDS, MAY_BE_THOUSANDS
from pipelines.tables.taxonomy import LEAF

_HINTS = {
    SEVERAL_PATHS: (
        "category cells that look like several paths",
        'set catalogue.columns.category_path_separator to what stands between paths, or to "" if a cell is one path',
    ),
    SEVERAL_IN_LEVEL: (
        "cells of a level of the category that look like several values",
        'let catalogue.columns.category be that column alone, with category_path_separator, or set this to "" if '
        "a cell is one level",
    ),
    NUMBERS: (
        "categories that are numbers alone",
        "export their names: what a number stands for is in a list that is not part of the feed",
    ),
    HOLES: (
        "categories with a level behind an empty one, which ends the path",
        "set catalogue.columns.category_separator to all of the mark where it is of several signs, as ///; else let "
        "the export leave no level out, or catalogue.columns.category name the columns that are always filled",
    ),
    SEVERAL_PHOTOS: (
        "photo cells that look like several photos",
        'set catalogue.columns.photo_separator to what stands between photos, or to "" if a cell is one photo',
    ),
    ESCAPED: (
        "photo addresses in which & is written as &amp;, or other characters as HTML entities, read as what they mean",
        "let the export write them plainly, for other readers of the feed",
    ),
    TEMPLATE: (
        "photo addresses with a place that is to be filled in, which no host has",
        "let the export write whole addresses, with a number for a width",
    ),
    CONTINUED: (
        "rejected rows that leave out what the row before says of the same product",
        "set catalogue.columns.continues to the column whose value such rows share",
    ),
    NAMELESS: (
        "rejected rows without id and category below a sound row",
        "if they are more of the item above, set catalogue.columns.continues to the column of item_id",
    ),
    LOOKS_EMPTY: (
        "cells that look as if they meant no value, and count as one",
        "if they do mean none, add what they hold to catalogue.no_value",
    ),
    MAY_BE_THOUSANDS: (
        "prices that are a thousand times as much where a comma is the decimal mark",
        "set catalogue.decimal_mark to the one that is meant",
    ),
    FLOAT_IDS: (
        "item ids that a program took for numbers and wrote with decimals",
        "let it read and write them as text (pandas: dtype=str); written otherwise, each would be another item",
    ),
}
"""What a remark tells, and what to do about it."""


def notes_of(summary: Summary) -> Iterator[str]:
    """Yield what the rows of a run held that a shop should hear of."""
    counts, example = summary.counts, summary.kept_example
    if counts["kept"]:
        yield f"items that keep the state they had, for their rows were rejected: {counts['kept']}, such as {example!r}"
    if counts["unnamed"]:
        yield (
            f"rejected rows of the snapshot that do not say whose they are: {counts['unnamed']}; an item that only "
            "they name counts as not named"
        )
    yield from gone_of(summary)
    yield from out_of_stock_of(summary)
    yield from shown_all_the_same(summary)
    if left_out := _by_word(summary.remarks, LEFT_OUT):
        yield f"photos that are left out for their role (catalogue.drop_roles): {_counted(left_out)}"
    if counts["withdrawn"]:
        yield f"photos that are in the media table no more: {counts['withdrawn']}"
    if summary.remarks[CUT_OFF]:
        yield (
            f"files of the snapshot that were cut off: {summary.remarks[CUT_OFF]}, as {summary.remarked[CUT_OFF]}; "
            "items that they do not name stay until the next one"
        )
    yield from _overlaid(summary)
    yield from _breadcrumbs(summary)
    yield from _words(summary)


def _overlaid(summary: Summary) -> Iterator[str]:
    """Yield what the shop's own words above the feeds came to."""
    remarks, examples = summary.remarks, summary.remarked
    if remarks[MOVED]:
        yield f"items that catalogue.category_aliases moved to another category: {remarks[MOVED]}, as {examples[MOVED]}"
    kinds = (CORRECTED, NEEDLESS, OF_NO_ITEM)
    yield from _corrected("catalogue.corrections", summary, *kinds)
    yield from _corrected("categories that curators gave", summary, *(CURATED[kind] for kind in kinds))


def _corrected(what: str, summary: Summary, applied: str, needless: str, of_no_item: str) -> Iterator[str]:
    remarks, examples = summary.remarks, summary.remarked
    if not any(remarks[kind] for kind in (applied, needless, of_no_item)):
        return
    told = [f"{what}: {remarks[applied]} applied"]
    for kind, why in ((needless, "no longer needed, for the feed says the same"), (of_no_item, "of no item")):
        if remarks[kind]:
            told.append(f"{remarks[kind]} {why}, as {examples[kind]}")
    yield "; ".join(told)


def _breadcrumbs(summary: Summary) -> Iterator[str]:
    own, leaves = summary.remarks[OWN_LEVEL], sum(kind == LEAF for kind, _ in summary.values)
    if 2 * own > summary.rows[SNAPSHOT] + summary.rows[DELTAS] and 2 * leaves > own:
        example = summary.remarked[OWN_LEVEL]
        yield (
            f"categories whose last level is the title of their item: {own}, as {example}; each such item is a "
            "category of its own: export the path without that level"
        )


def _words(summary: Summary) -> Iterator[str]:
    remarks, examples = summary.remarks, summary.remarked
    empty = _by_word(remarks, "no_value")
    if empty:
        yield f"cells that mean no value (catalogue.no_value): {_counted(empty)}"
    for key in sorted(key for key in remarks if key.startswith("doubtful:")):
        yield (
            f"{key.partition(':')[2]!r} counts as a word, {remarks[key]} times, as in {examples[key]}; if it means no "
            "value, add it to catalogue.no_value"
        )
    for key in sorted(key for key in remarks if key.startswith(f"{FALLBACK}:")):
        column, example = key.partition(":")[2], examples[key]
        yield f"rows whose category is that of column {column!r}, for they have none: {remarks[key]}, as {example}"
    unknown = _by_word(remarks, UNKNOWN_AVAILABILITY)
    if unknown:
        yield (
            f"words of catalogue.columns.availability that are not known, and count as in stock: {_counted(unknown)}; "
            "write them as 'in stock', 'out of stock', 'preorder' or 'backorder' in the feed"
        )
    yield from hints_of(summary)


def gone_of(summary: Summary) -> Iterator[str]:
    """Yield how many rows of a snapshot say that their item is gone."""
    gone, rows = summary.counts["gone"], summary.rows[SNAPSHOT]
    if gone:
        words = _by_word(summary.remarks, GONE)
        yield (
            f"rows of the snapshot that say their item is gone (catalogue.columns.deleted): {gone} of {rows} "
            f"({_counted(words)})"
        )


def out_of_stock_of(summary: Summary) -> Iterator[str]:
    """Yield how many rows of a snapshot say that their item is out of stock."""
    count, rows = summary.counts["out_of_stock"], summary.rows[SNAPSHOT]
    if count:
        yield f"rows of the snapshot whose item is out of stock (catalogue.out_of_stock): {count} of {rows}"


def shown_all_the_same(summary: Summary) -> Iterator[str]:
    """Yield how many items are out of stock where the config does not say what becomes of such."""
    if shown := summary.remarks[SHOWN_OUT_OF_STOCK]:
        yield (
            f"rows whose item is out of stock, as {summary.remarked[SHOWN_OUT_OF_STOCK]}, and shown all the same: "
            f'{shown} of {summary.rows[SNAPSHOT]}; catalogue.out_of_stock = "flag" says so in results, "remove" leaves '
            "them out"
        )


def hints_of(summary: Summary) -> Iterator[str]:
    """Yield what looks as if the config did not say how the feed is written."""
    remarks, examples = summary.remarks, summary.remarked
    if remarks[OTHER_LEVELS] and not remarks[LEVELS]:
        yield (
            "no category cell holds catalogue.columns.category_separator, but "
            f"{remarks[OTHER_LEVELS]} look like several levels, as {examples[OTHER_LEVELS]}; "
            'set it to what stands between levels, or to "" if a cell is one level'
        )
    files = summary.counts["files"]
    unseen = [key.partition(":")[2] for key, n in remarks.items() if key.startswith(f"{UNSEEN}:") and n == files]
    if unseen:
        names = ", ".join(map(repr, sorted(unseen)))
        yield f"no row of the snapshot has {names}, which catalogue.columns names"
    for remark, (what, fix) in _HINTS.items():
        if remarks[remark]:
            yield f"{what}: {remarks[remark]}, as {examples[remark]}; {fix}"
    for shape, count in _by_word(remarks, SHAPED).items():
        example = examples[f"{SHAPED}:{shape}"]
        yield f"photo cells that are written as {shape}, of which the addresses within are read: {count}, as {example}"
    currencies = _by_word(remarks, "currency")
    if len(currencies) > 1:
        told = _counted(currencies)
        yield f"prices in several currencies: {told}; the items table tells them apart, the statistics do not"


def _by_word(remarks: Mapping[str, int], kind: str) -> dict[str, int]:
    return {key.partition(":")[2]: n for key, n in remarks.items() if key.startswith(f"{kind}:")}


def _counted(words: Mapping[str, int]) -> str:
    return ", ".join(f"{word!r} {n}" for word, n in sorted(words.items(), key=lambda pair: (-pair[1], pair[0])))
