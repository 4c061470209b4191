"""What the rows of an index stand for: reading the tables, memory-mapped.

Owns the way from a row to its photo and its items, and back. Rows are known to this package alone: results carry item
ids.
"""

import bisect
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.neighbours import row_tables as files
from pipelines.neighbours.kinds.base import mapped
from pipelines.neighbours.results import Result
from pipelines.tables.arrays import Array, Ints

DIGEST_BLOCK = 65_536


class UnknownItemError(Exception):
    """Say that an item is not in the index."""


class Rows:
    """Read the links between rows and items.

    A link is one photo of one item. Arrays by link: `link_item`, `link_group`, `link_slot`, `link_category` (a number
    of `categories`, which are paths), `active`, `votes`; `link_offsets` `[rows + 1]` cuts them by row. Items are
    numbered by the order of their ids.
    """

    def __init__(self, folder: Path, vocabulary: dict[str, Any]) -> None:
        self.digests = mapped(folder / files.DIGESTS)
        self.link_offsets = mapped(folder / files.OFFSETS)
        self.link_item = mapped(folder / files.LINK_ITEMS)
        self.link_group = mapped(folder / files.LINK_GROUPS)
        self.link_slot = mapped(folder / files.LINK_SLOTS)
        self.active = mapped(folder / files.ACTIVE)
        # An index of before has no such file: there every photo votes.
        self.votes = mapped(folder / files.VOTES) if (folder / files.VOTES).exists() else self.active
        self.link_row = np.repeat(np.arange(len(self.digests)), np.diff(self.link_offsets))
        self.attributes = {
            name: (list(values), mapped(folder / f"attribute_{number}.npy"))
            for number, (name, values) in enumerate(vocabulary["attributes"].items())
        }
        self.signals = {
            name: mapped(folder / f"signal_{number}.npy") for number, name in enumerate(vocabulary["signals"])
        }
        self._item_links = mapped(folder / files.ITEM_LINKS)
        self._item_offsets = mapped(folder / files.ITEM_OFFSETS)
        self.link_category = mapped(folder / files.LINK_CATEGORIES)
        self.categories = [tuple(path or ()) for path in _table(folder / files.CATEGORIES)["path"].to_pylist()]
        self._links = _table(folder / files.LINKS)
        self._item_ids = _table(folder / files.ITEM_IDS)["item_id"].combine_chunks()

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def num_items(self) -> int:
        """Return how many items the index holds, active or not."""
        return len(self._item_ids)

    def item(self, item_id: str) -> int:
        """Return the number of an item, or raise UnknownItemError."""
        found = bisect.bisect_left(self._item_ids, item_id, key=lambda value: value.as_py())
        if found == len(self._item_ids) or self._item_ids[found].as_py() != item_id:
            raise UnknownItemError(
                f"item {item_id!r} is not in the index: check its id; an item whose photos are all unusable is in none"
            )
        return found

    def numbers(self, item_ids: pa.Array) -> Ints:
        """Return the number of each of some distinct items, -1 of one that is not in the index.

        Goes over all the index's items once; memory is that of what is asked for, and 4 bytes an item of the index.
        """
        found = pc.index_in(self._item_ids, value_set=item_ids).fill_null(-1).to_numpy(zero_copy_only=False)
        numbers = np.full(len(item_ids), -1, np.int64)
        there = np.flatnonzero(found >= 0)
        numbers[found[there]] = there
        return numbers

    def links_of_item(self, item: int) -> Ints:
        """Return the links of an item, its first photo first."""
        return np.asarray(self._item_links[self._item_offsets[item] : self._item_offsets[item + 1]])

    def links_of_items(self, items: Ints) -> tuple[Ints, Ints]:
        """Return the links of `items`, item after item, of each its first photo first, and how many each has."""
        starts, stops = self._item_offsets[items], self._item_offsets[items + 1]
        return np.asarray(self._item_links[_ranges(starts, stops)]), stops - starts

    def links_of_rows(self, rows: Ints) -> Ints:
        """Return the links of `rows`, in their order; `link_row` leads back."""
        return _ranges(self.link_offsets[rows], self.link_offsets[rows + 1])

    def image_uris(self, links: Ints) -> pa.ChunkedArray:
        """Return under which address the item of each link names the photo."""
        return self._links["image_uri"].take(pa.array(links))

    def links_below(self, category: Sequence[str]) -> Array:
        """Return which links stand at a path of categories or below it, bool `[links]`; spelling counts."""
        path = tuple(category)
        return np.array([own[: len(path)] == path for own in self.categories], bool)[self.link_category]

    def told(self, name: str) -> pa.ChunkedArray:
        """Return what the shop says of each link's item: title, price, currency or availability, null for nothing."""
        if name in self._links.column_names:
            return self._links[name]
        return pa.chunked_array([pa.nulls(len(self._links), pa.float64() if name == "price" else pa.string())])

    def live_links(self, dead_items: Collection[str]) -> Array:
        """Return which links may be found, bool `[links]`: active, of no item in `dead_items`; unknown ids are fine."""
        live = np.array(self.active)
        numbers = self.numbers(pa.array(sorted(set(dead_items)), pa.string()))
        live[self.links_of_items(numbers[numbers >= 0])[0]] = False
        return live

    def rows_of_digests(self, digests: Collection[bytes]) -> dict[bytes, int]:
        """Return the row of each photo of some digests that is in the index; goes over all digests once."""
        found: dict[bytes, int] = {}
        starts = np.array(sorted({int.from_bytes(digest[:8], "little") for digest in digests}), np.uint64)
        for start in range(0, len(self.digests) if len(starts) else 0, DIGEST_BLOCK):
            block = np.ascontiguousarray(self.digests[start : start + DIGEST_BLOCK, :8]).view("<u8")[:, 0]
            for row in start + np.flatnonzero(np.isin(block, starts)):
                if (digest := self.digests[row].tobytes()) in digests:
                    found[digest] = int(row)
        return found

    @property
    def all_item_ids(self) -> pa.Array:
        """Return the ids of all items, sorted, as they lie on disk."""
        return self._item_ids

    def item_ids(self) -> list[str]:
        """Return the ids of all items, sorted."""
        ids: list[str] = self._item_ids.to_pylist()
        return ids

    def results(self, links: Sequence[Ints], scores: Sequence[Array]) -> list[list[Result]]:
        """Return the results of each query from its `links` and their `scores`, both in order."""
        flat = np.concatenate([np.zeros(0, np.int64), *links])
        told = self._links.take(pa.array(flat))
        categories = [self.categories[code] for code in self.link_category[flat].tolist()]
        digests = _in_hex(np.asarray(self.digests[self.link_row[flat]]))
        # An index of before may lack what results show today.
        shown = [_values(told[name]) if name in told.column_names else [None] * len(flat) for name in files.ALSO_KEPT]
        columns = zip(_values(told["item_id"]), categories, _values(told["image_uri"]), digests, *shown, strict=True)
        return [
            [_result(score, *of_link) for score, of_link in zip(np.asarray(of_query).tolist(), columns, strict=False)]
            for of_query in scores
        ]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column of words or numbers, None for nothing; by way of numpy, 20 times as fast."""
    values = column.to_numpy().tolist()
    return [None if value != value else value for value in values] if pa.types.is_floating(column.type) else values


def _in_hex(digests: Array) -> list[str]:
    """Return each row of bytes uint8 `[n, width]` in hex."""
    whole, width = digests.tobytes().hex(), 2 * digests.shape[1]
    return [whole[start : start + width] for start in range(0, len(whole), width)]


def _result(
    score: float,
    item_id: str,
    category: tuple[str, ...],
    image_uri: str,
    digest: str,
    title: str | None,
    price: float | None,
    currency: str | None,
    availability: str | None,
) -> Result:
    words = (availability or "", title or "")
    return Result(item_id, score, category, image_uri, *words, price, currency or "", digest)


def _ranges(starts: Ints, stops: Ints) -> Ints:
    """Return the numbers of each half-open range, one range after the other."""
    counts = stops - starts
    return np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())


def _table(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
