"""Exact search of the queries in one unit of vectors, and the merging of units.

Owns which of a unit's rows a query may find. Pure numpy; the Beam around it is in `scanning`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.evaluate.gallery import Keys, key_of, keys_of
from pipelines.evaluate.truth import Top, best_of_block, merge
from pipelines.tables.arrays import Floats

QUERY_BLOCK = 256
LISTS = ("photos", "results", "kept")
PARTS = ("scores", "numbers", "keys")


@dataclass(frozen=True)
class Scan:
    """The queries of an exact search.

    `embeddings` float32 `[num_queries, dim]`; by query, `photo` is the key of a photo not to be found (0: none) and
    `own` the keys of items not to be found; `whole` bool: the test split counts among what should be retrieved.
    """

    embeddings: Floats
    photo: Keys
    own: tuple[frozenset[int], ...]
    whole: npt.NDArray[np.bool_]

    @property
    def blocks(self) -> int:
        """Number of query blocks."""
        return -(-len(self.embeddings) // QUERY_BLOCK)


@dataclass(frozen=True)
class Tops:
    """The true best of some queries: `photos`; `results` (items or groups); `kept`, results without the test split.

    `total` float64 `[dim]` is the sum of the gallery's vectors seen, `count` how many: their mean is compared with
    live.
    """

    total: npt.NDArray[np.float64]
    count: int
    photos: Top
    results: Top
    kept: Top

    def to_bytes(self) -> bytes:
        """Return the arrays as an npz file."""
        arrays = {f"{name}_{part}": getattr(getattr(self, name), part) for name in LISTS for part in PARTS}
        sink = io.BytesIO()
        np.savez(sink, **arrays, total=self.total, count=np.int64(self.count))
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Tops:
        """Return what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            tops = [Top(*(held[f"{name}_{part}"] for part in PARTS)) for name in LISTS]
            return cls(held["total"], int(held["count"]), *tops)

    @classmethod
    def stacked(cls, blocks: Sequence[Tops]) -> Tops:
        """Return the queries of all blocks, one below the other; every block has seen the same vectors."""
        tops = (_stacked([getattr(block, name) for block in blocks]) for name in LISTS)
        return cls(blocks[0].total, blocks[0].count, *tops)


def scan_unit(scan: Scan, vectors: Floats, rows: pa.Table) -> Iterator[tuple[int, Tops]]:
    """Yield (query block, best results) of a unit.

    `vectors` float32 `[rows of the unit, dim]`; `rows` are the gallery's links into it: digest, item_id, fold, test,
    row, number.
    """
    rows = rows.sort_by("number")
    place, numbers = rows["row"].to_numpy(), rows["number"].to_numpy()
    photos, items, folds = (keys_of(rows[name]) for name in ("digest", "item_id", "fold"))
    test = rows["test"].to_numpy()
    first = np.unique(place, return_index=True)[1]
    total, count = vectors[place[first]].sum(axis=0, dtype=np.float64), len(first)
    for block in range(scan.blocks):
        part = slice(block * QUERY_BLOCK, (block + 1) * QUERY_BLOCK)
        scores = scan.embeddings[part] @ vectors[place].T
        by_photo = np.where(photos[None, :] == scan.photo[part][:, None], -np.inf, scores).astype(np.float32)
        _forbid_own(scores, scan.own[part], items)
        kept = np.where(test[None, :] & ~scan.whole[part][:, None], -np.inf, scores).astype(np.float32)
        tops = (best_of_block(s, numbers, keys) for s, keys in ((by_photo, photos), (scores, folds), (kept, folds)))
        yield block, Tops(total, count, *tops)


def merge_tops(found: Iterable[Tops]) -> Tops | None:
    """Return the best of all units for the same queries; None of nothing."""
    best: Tops | None = None
    for tops in found:
        best = tops if best is None else _both(best, tops)
    return best


def own_keys(item_ids: Iterable[str]) -> frozenset[int]:
    """Return the keys of items that a query may not find."""
    return frozenset(key_of(item_id) for item_id in item_ids)


def _forbid_own(scores: Floats, own: Sequence[frozenset[int]], items: Keys) -> None:
    everyone = np.array(sorted(frozenset().union(*own)), np.uint64)
    suspects = np.flatnonzero(np.isin(items, everyone))
    for query, keys in enumerate(own):
        mine = [column for column in suspects if int(items[column]) in keys] if keys else []
        scores[query, mine] = -np.inf


def _both(first: Tops, second: Tops) -> Tops:
    tops = (merge(getattr(first, name), getattr(second, name)) for name in LISTS)
    return Tops(first.total + second.total, first.count + second.count, *tops)


def _stacked(tops: Sequence[Top]) -> Top:
    width = max(top.scores.shape[1] for top in tops)
    padded = [_padded(top, width) for top in tops]
    return Top(*(np.concatenate([getattr(top, part) for top in padded]) for part in PARTS))


def _padded(top: Top, width: int) -> Top:
    missing = ((0, 0), (0, width - top.scores.shape[1]))
    scores = np.pad(top.scores, missing, constant_values=-np.inf)
    return Top(scores, np.pad(top.numbers, missing, constant_values=-1), np.pad(top.keys, missing))
