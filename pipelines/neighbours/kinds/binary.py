"""Hamming search over one memory-mapped array of codes, sorted by leaf category (eBay 2017, arXiv 1706.03154).

Owns the codes, the category each stands in, and their scan. A scan reads only the categories it is told to, as slices
of the file, without copies.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pipelines.neighbours.kinds.base import blocks, mapped
from pipelines.tables.arrays import Array, Ints

CODES, ROWS, SLOTS, OFFSETS = "codes.npy", "code_rows.npy", "code_slots.npy", "code_offsets.npy"

PIECE = 65_536
"""The most codes one task scans: small enough to share a single query's scan between cores."""

CACHE_CODES = 2_048
"""Codes compared with all queries of a task before the next ones are read: 1 MB of 4096-bit codes stays in cache."""

FEW_CODES = 50_000
"""No more comparisons than these are made by who asks: to share them out among two threads takes about as long."""

RESULT_CELLS = 4_000_000
"""The most candidates in memory at once; more queries are split."""

ENTRY_BITS = 40
"""A position among the codes takes this many bits, a distance the ones above."""


@dataclass(frozen=True)
class _Task:
    """One piece of the codes and the queries that scan it."""

    part: slice
    queries: Ints

    @property
    def compared(self) -> int:
        """How many codes are compared with queries."""
        return (self.part.stop - self.part.start) * len(self.queries)


class BinaryIndex:
    """Scan the codes of chosen categories for the nearest to each query."""

    kind = "binary"
    is_exact = False

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads

    @property
    def code_bytes(self) -> int:
        """Return the bytes of one code."""
        return int(self._codes.shape[1])

    @property
    def num_codes(self) -> int:
        """Return how many codes there are: a photo of items in two categories has two."""
        return len(self._codes)

    @property
    def slots(self) -> Ints:
        """Return the category slots that have codes, sorted; -1 stands for an unknown category."""
        return self._slots

    def load(self, folder: Path) -> None:
        """Map what `write_codes` wrote."""
        self._codes: Array = mapped(folder / CODES)
        self._rows: Array = mapped(folder / ROWS)
        self._slots: Ints = np.load(folder / SLOTS)
        self._offsets: Ints = np.load(folder / OFFSETS)
        self._repeats = len(self._rows) - len(np.unique(self._rows))

    def codes_of(self, rows: Ints) -> Array:
        """Return the codes uint8 `[len(rows), code_bytes]` of stored rows."""
        return np.asarray(self._codes[self._entry_of_row[rows]])

    @cached_property
    def _entry_of_row(self) -> Ints:
        entries = np.zeros(int(self._rows.max()) + 1, np.int64)
        entries[self._rows] = np.arange(len(self._rows))
        return entries

    def scanned(self, slots: Sequence[Ints] | None, num_queries: int) -> Ints:
        """Return how many codes each query would scan in its `slots` (None: all of them)."""
        if slots is None:
            return np.full(num_queries, len(self._codes), np.int64)
        sizes = np.diff(self._offsets)
        return np.array([sizes[self._positions(wanted)].sum() for wanted in slots], np.int64)

    def search(self, codes: Array, slots: Sequence[Ints] | None, depths: Ints) -> Ints:
        """Return the rows of the nearest codes of each query.

        `codes` uint8 `[num_queries, code_bytes]`; `slots` the categories each query scans (None: all); `depths` how
        many rows each query wants. Returns int64 `[num_queries, max depth]`, nearest first, padded with -1, each row
        once; equal distances are ordered by category, then row.
        """
        if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != self.code_bytes:
            raise ValueError(
                f"hashes are {codes.dtype} {codes.shape}, expected uint8 [num_queries, {self.code_bytes}]: "
                "hash them with the index's model"
            )
        pieces, scans = self._pieces(slots, len(codes))
        deepest = int(depths.max(initial=0))
        # Scanned as one stretch, a photo in two categories is met twice: look as much deeper as that may cost.
        deeper = deepest + (min(deepest, self._repeats) if slots is None else 0)
        widest = int((scans @ np.minimum(np.diff(pieces)[:, 0], deeper)).max(initial=0))
        found = np.full((len(codes), deepest), -1, np.int64)
        for part in blocks(len(codes), max(1, RESULT_CELLS // max(1, widest))):
            keys = self._scan(np.ascontiguousarray(codes[part]), _tasks(pieces, scans[part]), deeper)
            self._merge(keys, depths[part], found[part])
        return found

    def standing(self, code: Array, slots: Ints | None, row: int) -> tuple[int, int | None]:
        """Return in how many bits a row's code differs from one, and its place by that among the codes of `slots`.

        `code` uint8 `[code_bytes]`. The place counts rows, from 1, as `search` orders them; None for a row without a
        code there. Every code of the slots (None: of all) is compared.
        """
        own = int(np.bitwise_count(self.codes_of(np.array([row]))[0] ^ code).sum())
        nearer, ahead, place = list[Ints](), list[Ints](), len(self._codes)
        pieces, [scanned] = self._pieces(None if slots is None else [slots], 1)
        for start, stop in pieces[scanned].tolist():
            rows = np.asarray(self._rows[start:stop])
            bits = np.bitwise_count(self._codes[start:stop] ^ code).sum(axis=1, dtype=np.int64)
            nearer.append(rows[bits < own])
            equal = np.flatnonzero(bits == own)
            if row in rows[equal]:
                place = min(place, start + int(equal[rows[equal] == row][0]))
            ahead.append(start + equal)
        if place == len(self._codes):
            return own, None
        before = np.concatenate(ahead)
        return own, 1 + len(np.unique(np.concatenate([*nearer, self._rows[before[before < place]]])))

    def _positions(self, wanted: Ints) -> Ints:
        position = np.searchsorted(self._slots, wanted)
        inside = position < len(self._slots)
        found: Ints = position[inside][self._slots[position[inside]] == wanted[inside]]
        return found

    def _pieces(self, slots: Sequence[Ints] | None, num_queries: int) -> tuple[Ints, Array]:
        """Return pieces of the codes, int64 `[n, 2]`, and which queries scan them, bool `[num_queries, n]`."""
        if slots is None:
            whole = _cut(np.array([0, len(self._codes)]))
            return whole, np.ones((num_queries, len(whole)), bool)
        scans = np.zeros((num_queries, len(self._slots)), bool)
        for of_query, wanted in zip(scans, slots, strict=True):
            of_query[self._positions(wanted)] = True
        pieces, positions = self._by_slot
        return pieces, scans[:, positions]

    @cached_property
    def _by_slot(self) -> tuple[Ints, Ints]:
        """Pieces that are of one category each, and its position among the slots."""
        pieces = _cut(self._offsets)
        return pieces, np.searchsorted(self._offsets, pieces[:, 0], side="right") - 1

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads or _cores(), "scan", initializer=_compare_in_one_thread)

    def _scan(self, codes: Array, tasks: Sequence[_Task], depth: int) -> list[list[Ints]]:
        keys: list[list[Ints]] = [[] for _ in codes]

        def scan(task: _Task) -> None:
            near, which = _nearest(codes[task.queries], self._codes[task.part], depth)
            # One sortable number a candidate: the distance, then the position among the codes.
            packed = (near.astype(np.int64) << ENTRY_BITS) | (which + task.part.start)
            for query, of_query in zip(task.queries, packed, strict=True):
                keys[query].append(of_query)

        if depth and sum(task.compared for task in tasks) > FEW_CODES:
            deque(self._pool.map(scan, tasks), maxlen=0)
        elif depth:
            with _in_this_thread():
                for task in tasks:
                    scan(task)
        return keys

    def _merge(self, keys: list[list[Ints]], depths: Ints, found: Ints) -> None:
        for query, depth in enumerate(depths):
            near = np.concatenate([np.zeros(0, np.int64), *keys[query]])
            if len(near) > (enough := depth + self._repeats):
                near = np.partition(near, enough)[:enough]
            near.sort()
            rows = self._rows[near & ((1 << ENTRY_BITS) - 1)]
            if self._repeats:
                rows = rows[np.sort(np.unique(rows, return_index=True)[1])]
            rows = rows[:depth]
            found[query, : len(rows)] = rows


def _cut(offsets: Ints) -> Ints:
    """Return pieces int64 `[n, 2]` of at most PIECE codes, of which none reaches over an offset."""
    bounds = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    pieces = [(a + part.start, a + part.stop) for a, b in bounds for part in blocks(b - a, PIECE)]
    return np.array(pieces, np.int64).reshape(-1, 2)


def _tasks(pieces: Ints, scans: Array) -> list[_Task]:
    """Return what is to be scanned, the largest first."""
    some = np.flatnonzero(scans.any(axis=0))
    largest_first = some[np.argsort(pieces[some, 0] - pieces[some, 1], kind="stable")]
    return [_Task(slice(*pieces[piece].tolist()), np.flatnonzero(scans[:, piece])) for piece in largest_first]


def _nearest(queries: Array, codes: Array, depth: int) -> tuple[Array, Ints]:
    """Return the distances and positions of the `depth` nearest codes; of equals the first positions are kept."""
    import faiss

    near, which = faiss.knn_hamming(np.ascontiguousarray(queries), codes, min(depth, len(codes)), variant="hc")
    return near, which


def _compare_in_one_thread() -> None:
    # The pool shares the cores; faiss' own threads would wait for each other at every block.
    import faiss

    faiss.omp_set_num_threads(1)
    faiss.cvar.hamming_batch_size = CACHE_CODES


@contextmanager
def _in_this_thread() -> Iterator[None]:
    """Compare in this thread alone, which may have more threads of faiss afterwards as it had before."""
    import faiss

    threads = faiss.omp_get_max_threads()
    _compare_in_one_thread()
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def entries_of(link_rows: Ints, link_slots: Array) -> tuple[Ints, Array]:
    """Return the distinct (category, row) pairs of the links between rows and items, sorted: rows and their slots."""
    pairs = np.unique(np.stack([link_slots.astype(np.int64), link_rows], axis=1), axis=0)
    return pairs[:, 1], pairs[:, 0]


def write_codes(folder: Path, hashes: Array, source: Ints, rows: Ints, slots: Array, block_rows: int) -> None:
    """Write the codes of `rows`, sorted by `slots`, into the existing `folder`.

    `hashes` uint8 `[n, code_bytes]` as the caller stores them; `source[row]` is the position of a row's hash in them;
    `rows` and `slots` come from `entries_of`. At most `block_rows` codes are in memory.
    """
    codes = np.lib.format.open_memmap(folder / CODES, "w+", np.uint8, (len(rows), hashes.shape[1]))
    for part in blocks(len(rows), block_rows):
        codes[part] = hashes[source[rows[part]]]
    codes.flush()
    unique, first = np.unique(slots, return_index=True)
    np.save(folder / ROWS, rows.astype(np.int64))
    np.save(folder / SLOTS, unique.astype(np.int64))
    np.save(folder / OFFSETS, np.append(first, len(rows)).astype(np.int64))
