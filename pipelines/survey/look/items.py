"""The items of a catalogue: ids and titles that are alike, prices, and the leaves of the taxonomy.

Memory: 16 bytes an item, the names and counts of leaves, and one bucket; examples are found by a second pass.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.config import Columns, Config
from pipelines.survey.look.findings import ODD, STOPS, TOLD, Finding
from pipelines.survey.look.reading import Reading
from pipelines.survey.look.tally import Tally, hash_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, PHOTOS

SHOWN: Final = 3
ROWS_AT_ONCE: Final = 4096
_COLUMNS: Final = ["item_id", "category", "title", "price", "currency"]
_BLANKS: Final = re.compile(r"\s+")
_MANY_LEAVES: Final = 0.5
"""Of the items: with more leaves most of them are alone in theirs."""
_SEVERAL: Final = 3
"""Categories with items of their own above a level, from which on it hardly is a level of each."""


@dataclass
class Items:
    """What the items of a catalogue are like; `leaves` counts items, `photos_of` photos, by category path."""

    count: int = 0
    ids: Tally = field(default_factory=Tally)
    titles: Tally = field(default_factory=Tally)
    leaves: Counter[tuple[str, ...]] = field(default_factory=Counter)
    photos_of: Counter[tuple[str, ...]] = field(default_factory=Counter)
    without_price: int = 0
    free: int = 0
    without_photo: int = 0

    @classmethod
    def of(cls, reading: Reading) -> Items:
        """Look at all items, bucket by bucket."""
        items = cls()
        for bucket in range(reading.buckets):
            table = read_bucket(reading.store, f"{reading.folder}/items", bucket, ITEMS, _COLUMNS)
            photos = read_bucket(reading.store, f"{reading.folder}/photos", bucket, PHOTOS, ["item_id"])
            counts = Counter(photos["item_id"].to_pylist())
            for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
                items._add(batch.to_pylist(), counts)
        return items

    def _add(self, rows: list[dict[str, Any]], photos: Mapping[str, int]) -> None:
        self.count += len(rows)
        self.ids.add(plain_id(row["item_id"]) for row in rows)
        self.titles.add(plain_title(row["title"]) for row in rows if row["title"])
        for row in rows:
            leaf = tuple(row["category"])
            self.leaves[leaf] += 1
            self.photos_of[leaf] += photos.get(row["item_id"], 0)
            self.without_price += row["price"] is None
            self.free += row["price"] == 0
            self.without_photo += row["item_id"] not in photos

    def findings(self, config: Config, reading: Reading) -> Iterator[Finding]:
        """Yield what there is to say of them."""
        columns = config.catalogue.columns
        yield from _alike(reading, self.ids, "item_id", plain_id, _IDS)
        if columns.group_id is None:
            yield from _alike(reading, self.titles, "title", plain_title, _TITLES)
        if columns.price is None:
            fix = "set catalogue.columns.price, where the feed has one; without it no search filters by price"
            yield Finding("no_prices", TOLD, "prices: none", fix=fix)
        elif self.without_price + self.free:
            what = f"items without a price ({self.without_price:,}) or with the price 0 ({self.free:,})"
            fix = "see catalogue.columns.price; searches by price leave them out"
            yield Finding("no_price", TOLD, what, self.without_price + self.free, fix=fix)
        if self.without_photo:
            fix = "they wait until the media table names one"
            yield Finding("items_without_photo", ODD, "items of which no photo is known", self.without_photo, fix=fix)
        yield from self._of_leaves(columns, config.train.min_leaf_images)

    def _of_leaves(self, columns: Columns, least: int) -> Iterator[Finding]:
        depths = Counter(len(leaf) for leaf in self.leaves)
        biggest = sorted(self.leaves.items(), key=lambda one: (-one[1], one[0]))
        shown = tuple(f"{' > '.join(leaf)} ({count:,} items)" for leaf, count in biggest[:SHOWN])
        deep = ", ".join(f"{count} of {depth} level{'s' * (depth > 1)}" for depth, count in sorted(depths.items()))
        yield Finding("leaves", TOLD, f"leaf categories ({deep})", len(self.leaves), shown)
        if len(self.leaves) == 1:
            fix = f"{_of_one_leaf(columns)}; a model learns to tell leaves apart"
            yield Finding("one_leaf", STOPS, "all items are in one category", fix=fix)
        elif len(self.leaves) > _MANY_LEAVES * self.count:
            fix = "see catalogue.columns.category and its separators; categories are what many items share"
            yield Finding("many_leaves", ODD, "most items have a category of their own", len(self.leaves), shown, fix)
        if ends := _below_several(self.leaves):
            told = tuple(f"{end!r} (below {len(above)} of them)" for end, above in ends[:SHOWN])
            fix = (
                "if a cell names several categories of an item, and no levels of one, set "
                "catalogue.columns.category_path_separator to what stands between them; of a list in JSON let "
                "catalogue.columns.category name one, as categories[0].name does"
            )
            yield Finding(
                "shared_ends", ODD, "levels below several categories that hold items too", len(ends), told, fix
            )
        thin = {leaf: count for leaf, count in self.photos_of.items() if count < least}
        if thin and len(self.leaves) > 1:
            few = sorted(thin, key=lambda leaf: (thin[leaf], leaf))[:SHOWN]
            told = tuple(f"{' > '.join(leaf)} ({thin[leaf]})" for leaf in few)
            photos = sum(thin.values())
            what = f"leaf categories of fewer than {least} photos, which no model learns ({photos:,} photos)"
            fix = (
                "they are found by what they look like; merge them in the feed, or lower train.min_leaf_images. Photos "
                "that a run will hold out to choose and measure by are counted here, so it learns a few less"
            )
            yield Finding("thin_leaves", TOLD, what, len(thin), told, fix)


def _below_several(leaves: Collection[tuple[str, ...]]) -> list[tuple[str, list[str]]]:
    """Return what stands at the end of several paths that hold items without it too, as Sale does; the commonest first.

    So it is where several categories of an item are taken for the levels of one.
    """
    above: dict[str, list[str]] = {}
    for leaf in sorted(leaves):
        if leaf[:-1] in leaves:
            above.setdefault(leaf[-1], []).append(" > ".join(leaf[:-1]))
    several = {end: paths for end, paths in above.items() if len(paths) >= _SEVERAL}
    return sorted(several.items(), key=lambda one: -len(one[1]))


def _of_one_leaf(columns: Columns) -> str:
    """Return what may be why all items are in one category."""
    wrong = "catalogue.columns.category may name the wrong column"
    if columns.category_path_separator and columns.category_choice == "first":
        return f'set catalogue.columns.category_choice = "deepest" if all begin with the same path; or {wrong}'
    return wrong


def plain_id(item_id: str) -> str:
    """Return an id without case, blanks and leading zeros."""
    return _BLANKS.sub("", item_id).casefold().lstrip("0")


def plain_title(title: str) -> str:
    """Return a title without case and further blanks."""
    return " ".join(title.split()).casefold()


@dataclass(frozen=True)
class _Words:
    code: str
    weight: Any
    what: str
    fix: str


_IDS: Final = _Words(
    "similar_ids", ODD, "ids that differ in case, blanks or leading zeros alone",
    "they count as different items; if they are one, let all exports write its id in the same way",
)  # fmt: skip
_TITLES: Final = _Words(
    "equal_titles", TOLD, "titles that several items have",
    "if these are variants of a product, set catalogue.columns.group_id, so that results show it once",
)  # fmt: skip


def _alike(
    reading: Reading, tally: Tally, column: str, plain: Callable[[str], str], words: _Words
) -> Iterator[Finding]:
    often = tally.more_than(1)
    if not often:
        return
    shown = dict(sorted(often.items(), key=lambda one: (-one[1], one[0]))[:SHOWN])
    found: dict[int, list[str]] = {key: [] for key in shown}
    for bucket in range(reading.buckets):
        for text in read_bucket(reading.store, f"{reading.folder}/items", bucket, ITEMS, [column])[column].to_pylist():
            key = hash_of(plain(text)) if text else 0
            if key in found and text not in found[key]:
                found[key].append(text)
    told = tuple(
        f"{' and '.join(map(repr, sorted(texts)[:SHOWN]))} ({shown[key]} items)" for key, texts in found.items()
    )
    yield Finding(words.code, words.weight, words.what, len(often), told, words.fix)
