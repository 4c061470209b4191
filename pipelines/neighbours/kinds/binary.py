"""Hamming search over one memory-mapped array of codes, sorted by leaf category (eBay 2017, arXiv 1706.03154).

Owns the codes, the category each stands in, and their scan. A scan reads only the categories it is told to, as slices
of the file, without copies.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.neighbours.kinds.base import blocks, mapped
from pipelines.tables.arrays import Array, Ints

CODES, ROWS, SLOTS, OFFSETS = "codes.npy", "code_rows.npy", "code_slots.npy", "code_offsets.npy"

PIECE = 65_536
"""The most codes one task scans: small enough to share a single query's scan between cores."""

CACHE_CODES = 2_048
"""Codes compared with all queries of a task before the next ones are read: 1 MB of 4096-bit codes stays in cache."""

RESULT_CELLS = 4_000_000
"""The most candidates in memory at once; more queries are split."""

ENTRY_BITS = 40
"""A position among the codes takes this many bits, a distance the ones above."""


@dataclass(frozen=True)
class _Task:
    """One piece of the codes and the queries that scan it."""

    part: slice
    queries: Ints


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
        if not hasattr(self, "_entry_of_row"):
            self._entry_of_row = np.zeros(int(self._rows.max()) + 1, np.int64)
            self._entry_of_row[self._rows] = np.arange(len(self._rows))
        return np.asarray(self._codes[self._entry_of_row[rows]])

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
        pieces = [self._pieces(None if slots is None else slots[query]) for query in range(len(codes))]
        deepest = int(depths.max(initial=0))
        # Scanned as one stretch, a photo in two categories is met twice: look as much deeper as that may cost.
        deeper = deepest + (min(deepest, self._repeats) if slots is None else 0)
        widest = max((sum(min(deeper, b - a) for a, b in of_query) for of_query in pieces), default=0)
        found = np.full((len(codes), deepest), -1, np.int64)
        for part in blocks(len(codes), max(1, RESULT_CELLS // max(1, widest))):
            keys = self._scan(np.ascontiguousarray(codes[part]), pieces[part], deeper)
            self._merge(keys, depths[part], found[part])
        return found

    def standing(self, code: Array, slots: Ints | None, row: int) -> tuple[int, int | None]:
        """Return in how many bits a row's code differs from one, and its place by that among the codes of `slots`.

        `code` uint8 `[code_bytes]`. The place counts rows, from 1, as `search` orders them; None for a row without a
        code there. Every code of the slots (None: of all) is compared.
        """
        own = int(np.bitwise_count(self.codes_of(np.array([row]))[0] ^ code).sum())
        nearer, ahead, place = list[Ints](), list[Ints](), len(self._codes)
        for start, stop in self._pieces(slots):
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

    def _pieces(self, wanted: Ints | None) -> list[tuple[int, int]]:
        if wanted is None:
            return [(part.start, part.stop) for part in blocks(len(self._codes), PIECE)]
        bounds = [(self._offsets[p], self._offsets[p + 1]) for p in np.unique(self._positions(wanted))]
        return [(int(a) + part.start, int(a) + part.stop) for a, b in bounds for part in blocks(int(b - a), PIECE)]

    def _scan(self, codes: Array, pieces: list[list[tuple[int, int]]], depth: int) -> list[list[Ints]]:
        keys: list[list[Ints]] = [[] for _ in codes]

        def scan(task: _Task) -> None:
            near, which = _nearest(codes[task.queries], self._codes[task.part], depth)
            # One sortable number a candidate: the distance, then the position among the codes.
            packed = (near.astype(np.int64) << ENTRY_BITS) | (which + task.part.start)
            for query, of_query in zip(task.queries, packed, strict=True):
                keys[query].append(of_query)

        if depth:
            with ThreadPoolExecutor(self._threads or _cores(), initializer=_one_thread_each) as pool:
                for _ in pool.map(scan, _tasks(pieces)):
                    pass
        return keys

    def _merge(self, keys: list[list[Ints]], depths: Ints, found: Ints) -> None:
        for query, depth in enumerate(depths):
            near = np.sort(np.concatenate([np.zeros(0, np.int64), *keys[query]]))
            rows = self._rows[near & ((1 << ENTRY_BITS) - 1)]
            first = np.sort(np.unique(rows, return_index=True)[1])[:depth]
            found[query, : len(first)] = rows[first]


def _tasks(pieces: list[list[tuple[int, int]]]) -> list[_Task]:
    wanted: dict[tuple[int, int], list[int]] = {}
    for query, parts in enumerate(pieces):
        for part in parts:
            wanted.setdefault(part, []).append(query)
    largest_first = sorted(wanted.items(), key=lambda entry: (entry[0][0] - entry[0][1], entry[0]))
    return [_Task(slice(*part), np.array(queries)) for part, queries in largest_first]


def _nearest(queries: Array, codes: Array, depth: int) -> tuple[Array, Ints]:
    """Return the distances and positions of the `depth` nearest codes; of equals the first positions are kept."""
    import faiss

    near, which = faiss.knn_hamming(np.ascontiguousarray(queries), codes, min(depth, len(codes)), variant="hc")
    return near, which


def _one_thread_each() -> None:
    # The pool shares the cores; faiss' own threads would wait for each other at every block.
    import faiss

    faiss.omp_set_num_threads(1)
    faiss.cvar.hamming_batch_size = CACHE_CODES


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
