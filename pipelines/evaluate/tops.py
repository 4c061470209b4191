"""The best results of queries, found block by block and merged. Numpy only."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.evaluate.gallery import Keys
from pipelines.tables.arrays import Floats, Ints

KEPT = 128
"""Results kept a query: more than the 100 that are asked for, so that equals of the last one are known."""
LISTS = ("photos", "results", "kept")
PARTS = ("scores", "numbers", "keys")


@dataclass(frozen=True)
class Top:
    """The best results of each query, best first.

    `scores` float32 `[num_queries, kept]` inner products, -inf where there is none; `numbers` int64, the gallery's row
    numbers, -1 where there is none; `keys` uint64, what a result stands for: equal keys are one result.
    """

    scores: Floats
    numbers: Ints
    keys: Keys

    def take(self, queries: Ints | slice) -> Top:
        """Return the results of some queries."""
        return Top(self.scores[queries], self.numbers[queries], self.keys[queries])


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


def nothing(num_queries: int) -> Top:
    """Return results with none found."""
    shape = (num_queries, 0)
    return Top(np.zeros(shape, np.float32), np.zeros(shape, np.int64), np.zeros(shape, np.uint64))


def best_of_block(scores: Floats, numbers: Ints, keys: Keys, kept: int = KEPT) -> Top:
    """Return the best `kept` results of a block.

    `scores` `[num_queries, rows]`, -inf for what a query may not find; `numbers` and `keys` `[rows]`. A key has the
    score of its best row and the number of its first.
    """
    if not len(keys):
        return nothing(len(scores))
    order = np.argsort(keys, kind="stable")
    unique, starts = np.unique(keys[order], return_index=True)
    of_key = np.maximum.reduceat(scores[:, order], starts, axis=1)
    if len(unique) > kept:
        columns = np.argpartition(-of_key, kept - 1, axis=1)[:, :kept]
    else:
        columns = np.broadcast_to(np.arange(len(unique)), of_key.shape)
    found = np.take_along_axis(of_key, columns, axis=1)
    return _ordered(Top(found, numbers[order][starts][columns], unique[columns]), kept)


def merge(first: Top, second: Top, kept: int = KEPT) -> Top:
    """Return the best `kept` results of both, one a key."""
    both = Top(
        np.concatenate([first.scores, second.scores], axis=1),
        np.concatenate([first.numbers, second.numbers], axis=1),
        np.concatenate([first.keys, second.keys], axis=1),
    )
    return _ordered(_without_repeats(both), kept)


def merge_tops(found: Iterable[Tops]) -> Tops | None:
    """Return the best of all units for the same queries; None of nothing."""
    best: Tops | None = None
    for tops in found:
        best = tops if best is None else _both(best, tops)
    return best


def _ordered(top: Top, kept: int) -> Top:
    order = np.lexsort((top.keys, -top.scores), axis=-1)[:, :kept]
    scores = np.take_along_axis(top.scores, order, axis=1)
    numbers = np.take_along_axis(top.numbers, order, axis=1)
    return Top(scores, np.where(np.isneginf(scores), -1, numbers), np.take_along_axis(top.keys, order, axis=1))


def _without_repeats(top: Top) -> Top:
    """Give -inf to all but the best of equal keys."""
    order = np.lexsort((-top.scores, top.keys), axis=-1)
    keys = np.take_along_axis(top.keys, order, axis=1)
    repeated = np.zeros(keys.shape, bool)
    repeated[:, 1:] = keys[:, 1:] == keys[:, :-1]
    scores = np.where(repeated, -np.inf, np.take_along_axis(top.scores, order, axis=1)).astype(np.float32)
    return Top(scores, np.take_along_axis(top.numbers, order, axis=1), keys)


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
