"""What every index over embeddings promises, and the small array helpers they share.

Owns the search result and the order of its rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pipelines.tables.arrays import Array, Floats, Ints

MISSING = -np.inf
"""The score beside a row of -1."""

CACHE_ROWS = 512
HALF_BITS = np.int32(-0x70002000)
HALF_SCALE = np.float32(2.0**112)


@dataclass(frozen=True)
class SearchResult:
    """Hold the best rows of each query, best first.

    `rows` int64 `[num_queries, k]`, padded with -1; `scores` float32 `[num_queries, k]`, inner products, -inf where
    the row is -1. Equal scores are ordered by row.
    """

    rows: Ints
    scores: Floats


class VectorIndex(Protocol):
    """Find the rows whose vectors have the largest inner product with a query's.

    All vectors are L2-normalised; inner product is cosine similarity. The stored vectors are an array `[num_vectors,
    dim]` of float16 or float32, usually memory-mapped, which an index refers to and never copies whole.
    """

    kind: str
    is_exact: bool

    def build(self, vectors: Array) -> None:
        """Index `vectors` `[num_vectors, dim]`."""

    def search(self, queries: Floats, k: int, effort: int = 1) -> SearchResult:
        """Return the best `k` rows of each of `queries` `[num_queries, dim]`; a larger `effort` looks further."""

    def save(self, folder: Path) -> None:
        """Write the index, without its vectors, into the existing `folder`."""

    def load(self, folder: Path, vectors: Array) -> None:
        """Read what `save` wrote, over the same `vectors`."""

    def predicted_bytes(self, num_vectors: int) -> int:
        """Return the memory that an index of `num_vectors` needs to be searched."""


def check_queries(queries: Floats, dim: int, k: int) -> Floats:
    """Return `queries` as contiguous float32 `[num_queries, dim]`, or raise ValueError."""
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise ValueError(
            f"queries have shape {queries.shape}, expected [num_queries, {dim}]: embed them with the index's model"
        )
    if k < 1:
        raise ValueError(f"k is {k}: ask for at least one result")
    if not np.isfinite(queries).all():
        bad = int(np.flatnonzero(~np.isfinite(queries).all(axis=1))[0])
        raise ValueError(f"query {bad} holds a NaN or an infinity: check the model's outputs")
    return np.ascontiguousarray(queries, dtype=np.float32)


def check_vectors(vectors: Array) -> None:
    """Raise ValueError unless `vectors` is a non-empty `[num_vectors, dim]` of float16 or float32."""
    if vectors.ndim != 2 or 0 in vectors.shape:
        raise ValueError(f"vectors have shape {vectors.shape}, expected [num_vectors, dim] with at least one vector")
    if vectors.dtype not in (np.float16, np.float32):
        raise ValueError(f"vectors are {vectors.dtype}: store them as float16 or float32")


def ranked(rows: Ints, scores: Floats, k: int) -> SearchResult:
    """Order `rows` and `scores` `[num_queries, m]` by falling score, then row, and cut or pad them to `k`."""
    scores = np.where(rows < 0, np.float32(MISSING), scores).astype(np.float32, copy=False)
    tie = np.where(rows < 0, np.iinfo(np.int64).max, rows)
    order = np.lexsort((tie, -scores), axis=-1)[:, :k]
    rows, scores = np.take_along_axis(rows, order, axis=1), np.take_along_axis(scores, order, axis=1)
    missing = k - rows.shape[1]
    if missing > 0:
        rows = np.pad(rows, ((0, 0), (0, missing)), constant_values=-1)
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=MISSING)
    return SearchResult(rows.astype(np.int64, copy=False), scores)


def mapped(path: Path) -> Array:
    """Return the array of a .npy file, memory-mapped and read-only.

    It is a plain array: numpy.memmap is a subclass, whose small slices, many a query, cost several times as much.
    """
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def blocks(length: int, size: int) -> Iterator[slice]:
    """Cut `range(length)` into slices of at most `size`."""
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def as_float32(vectors: Array) -> Floats:
    """Return a block of stored vectors, finite, as contiguous float32 with the same values.

    For float16 this is three times as fast as numpy's own conversion: the bits are moved to their places in a float32,
    sign kept, and a multiplication by 2^112 mends the exponent, exactly.
    """
    if vectors.dtype != np.float16:
        return np.ascontiguousarray(vectors, dtype=np.float32)
    wide = np.empty(vectors.shape, np.int32)
    for part in blocks(len(vectors), CACHE_ROWS):
        bits = wide[part]
        np.copyto(bits, np.ascontiguousarray(vectors[part]).view(np.int16))
        bits <<= 13
        bits &= HALF_BITS
        bits.view(np.float32)[...] *= HALF_SCALE
    return wide.view(np.float32)


def sample_rows(num_vectors: int, size: int, seed: int) -> Ints:
    """Draw at most `size` distinct rows, sorted so that a memory-mapped file is read forward."""
    if num_vectors <= size:
        return np.arange(num_vectors, dtype=np.int64)
    drawn = np.random.default_rng(seed).choice(num_vectors, size=size, replace=False)
    return np.sort(drawn).astype(np.int64)
