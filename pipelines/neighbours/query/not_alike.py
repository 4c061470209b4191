"""Which items of an index must not be shown for one another, and to which queries that applies.

A query is an item, or a photo; a photo is an item's own if it is as like one of its photos as the very same would be.
Items that show one photo stay for it: it is the own one of each.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from pipelines.neighbours.kinds.base import as_float32
from pipelines.neighbours.rows import Rows
from pipelines.tables.apart import Apart
from pipelines.tables.arrays import Array, Floats, Ints
from trainer.config import SAME_PHOTO

NONE: Ints = np.zeros(0, np.int64)
BLOCK_ROWS = 65_536


class NotAlike:
    """The pairs of which an index holds both: by row, the items that the row's photo must not find.

    Vectors of the photos of pairs are held in memory, two bytes a dimension.
    """

    def __init__(self, rows: Rows, vectors: Array, apart: Apart) -> None:
        self._rows = rows
        self._by_item: dict[int, set[int]] = {}
        self._by_row: dict[int, set[int]] = {}
        self._hidden_rows: dict[int, set[int]] = {}
        if apart:
            self._take(apart)
        of_items = rows.links_of_items(np.array(sorted(self._by_item), np.int64))[0]
        self._own = np.unique(np.concatenate([rows.link_row[of_items], np.array(sorted(self._by_row), np.int64)]))
        self._own = self._own.astype(np.int64)
        self._vectors = np.asarray(vectors[self._own])

    def of_item(self, item: int) -> tuple[Ints, Ints]:
        """Return the items, and the rows, that a search by an item must not find; its first photo may have a say."""
        first = int(self._rows.link_row[self._rows.links_of_item(item)[0]])
        items = self._by_item.get(item, set()) | (self._by_row.get(first, set()) - {item})
        return _sorted(items), _sorted(self._hidden_rows.get(item, set()))

    def of_photos(self, embeddings: Floats) -> list[tuple[Ints, Ints]]:
        """Return the items, and the rows, that a search by each photo (float32 `[n, dim]`) must not find."""
        if not len(self._own):
            return [(NONE, NONE)] * len(embeddings)
        near: list[list[int]] = [[] for _ in range(len(embeddings))]
        for start in range(0, len(self._own), BLOCK_ROWS):
            alike = as_float32(self._vectors[start : start + BLOCK_ROWS]) @ embeddings.T >= SAME_PHOTO
            for row, query in zip(*np.nonzero(alike), strict=True):
                near[query].append(int(self._own[start + row]))
        return [self._of_rows(rows) for rows in near]

    def _of_rows(self, near: Sequence[int]) -> tuple[Ints, Ints]:
        if not near:
            return NONE, NONE
        links = self._rows.links_of_rows(np.array(near, np.int64))
        shown = {int(item) for item in self._rows.link_item[links]}
        items = set[int]().union(*(self._by_item.get(item, set()) for item in shown))
        items |= set[int]().union(*(self._by_row.get(row, set()) for row in near))
        rows = set[int]().union(*(self._hidden_rows.get(item, set()) for item in shown))
        return _sorted(items - shown), _sorted(rows - set(near))

    def _take(self, apart: Apart) -> None:
        ids = sorted({*apart.partners, *(item_id for item_id, _ in apart.photos)})
        numbers = dict(zip(ids, self._rows.numbers(pa.array(ids, pa.string())).tolist(), strict=True))
        for one, other in apart.items:
            if (a := numbers[one]) >= 0 and (b := numbers[other]) >= 0:
                self._by_item.setdefault(a, set()).add(b)
                self._by_item.setdefault(b, set()).add(a)
        places = self._rows.rows_of_digests({bytes.fromhex(digest) for _, digest in apart.photos})
        for item_id, digest in apart.photos:
            item, row = numbers[item_id], places.get(bytes.fromhex(digest))
            if item >= 0 and row is not None:
                self._by_row.setdefault(row, set()).add(item)
                self._hidden_rows.setdefault(item, set()).add(row)
                self._by_item.setdefault(item, set())


def _sorted(numbers: Iterable[int]) -> Ints:
    return np.array(sorted(numbers), np.int64)
