"""Exact search: every stored vector is compared with every query.

Owns the judge of all other kinds.
"""

from pathlib import Path

import numpy as np

from pipelines.neighbours.kinds.base import SearchResult, as_float32, blocks, check_queries, check_vectors, ranked
from pipelines.neighbours.kinds.rerank import rerank
from pipelines.tables.arrays import Array, Floats, Ints

BLOCK_ROWS = 16_384
QUERY_BLOCK = 512

SPARE = 8
"""Candidates beyond k from BLAS, whose last bits depend on the batch, before the final scoring in a fixed order."""


class ExactIndex:
    """Compare all vectors, memory-mapped, block by block."""

    kind = "exact"
    is_exact = True

    def __init__(self, block_rows: int = BLOCK_ROWS) -> None:
        self._block_rows = block_rows
        self._vectors: Array = np.zeros((0, 0), np.float16)

    def build(self, vectors: Array) -> None:
        """Refer to `vectors` `[num_vectors, dim]`; nothing is computed."""
        check_vectors(vectors)
        self._vectors = vectors

    def search(
        self,
        queries: Floats,
        k: int,
        effort: int = 1,  # noqa: ARG002 - all vectors are compared at any effort
        live: Array | None = None,
    ) -> SearchResult:
        """Return the best `k` rows of each query; only rows where `live` bool `[num_vectors]` is set, if given."""
        queries = check_queries(queries, self._vectors.shape[1], k)
        parts = [self._search_block(queries[part], k, live) for part in blocks(len(queries), QUERY_BLOCK)]
        if not parts:
            return ranked(np.zeros((0, k), np.int64), np.zeros((0, k), np.float32), k)
        return SearchResult(np.concatenate([p.rows for p in parts]), np.concatenate([p.scores for p in parts]))

    def _search_block(self, queries: Floats, k: int, live: Array | None) -> SearchResult:
        best = ranked(np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32), k + SPARE)
        for part in blocks(len(self._vectors), self._block_rows):
            rows = np.arange(part.start, part.stop) if live is None else part.start + np.flatnonzero(live[part])
            if not len(rows):
                continue
            stored = self._vectors[part] if live is None else self._vectors[rows]
            # numpy's matrix product is several times as fast as faiss.knn, whose BLAS does not use both cores well.
            scores = queries @ as_float32(stored).T
            found = _largest(scores, min(k + SPARE, len(rows)))
            scores = np.take_along_axis(scores, found, axis=1)
            best = ranked(
                np.concatenate([best.rows, rows[found]], axis=1),
                np.concatenate([best.scores, scores], axis=1),
                k + SPARE,
            )
        return rerank(self._vectors, queries, best.rows, k)

    def save(self, folder: Path) -> None:
        """Write nothing: the vectors are the index."""

    def load(self, folder: Path, vectors: Array) -> None:  # noqa: ARG002 - there is no file
        """Refer to `vectors`."""
        self.build(vectors)

    def predicted_bytes(self, num_vectors: int) -> int:
        """Return the bytes of the memory-mapped vectors; the page cache may drop them."""
        dim = self._vectors.shape[1] or 512
        return num_vectors * dim * 2


def _largest(scores: Floats, count: int) -> Ints:
    if count == scores.shape[1]:
        return np.broadcast_to(np.arange(count), scores.shape)
    found: Ints = np.argpartition(scores, -count, axis=1)[:, -count:]
    return found
