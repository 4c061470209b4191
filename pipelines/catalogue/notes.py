"""What people are told of the feeds that were read, beside counts."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.catalogue.categories import SEVERAL_PATHS
from pipelines.catalogue.summary import Summary


def notes_of(summary: Summary, *, limit: int | None) -> Iterator[str]:
    """Yield what the rows of a run held that a shop should hear of."""
    counts, example = summary.counts, summary.kept_example
    if counts["kept"]:
        yield f"items that keep the state they had, for their rows were rejected: {counts['kept']}, such as {example!r}"
    if counts["unnamed"]:
        yield (
            f"rejected rows of the snapshot that do not say whose they are: {counts['unnamed']}; an item that only "
            "they name counts as not named"
        )
    if counts["withdrawn"]:
        yield f"photos that are in the media table no more: {counts['withdrawn']}"
    if limit is not None:
        yield f"no more than {limit} rows of each snapshot file were read (--limit): what they do not name stays"
    yield from _words(summary)


def _words(summary: Summary) -> Iterator[str]:
    remarks, examples = summary.remarks, summary.remarked
    empty = {key.partition(":")[2]: n for key, n in remarks.items() if key.startswith("no_value:")}
    if empty:
        words = ", ".join(f"{word!r} {n}" for word, n in sorted(empty.items(), key=lambda pair: (-pair[1], pair[0])))
        yield f"cells that mean no value (catalogue.no_value): {words}"
    for key in sorted(key for key in remarks if key.startswith("doubtful:")):
        yield (
            f"{key.partition(':')[2]!r} counts as a word, {remarks[key]} times, as in {examples[key]}; if it means no "
            "value, add it to catalogue.no_value"
        )
    if remarks[SEVERAL_PATHS]:
        yield (
            f"category cells that look like several paths: {remarks[SEVERAL_PATHS]}, as {examples[SEVERAL_PATHS]}; "
            'set catalogue.columns.category_path_separator to what stands between paths, or to "" if a cell is one path'
        )
