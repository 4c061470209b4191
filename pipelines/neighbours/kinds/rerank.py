"""Exact scores of candidates on the stored vectors.

Owns the one way a score is computed, so that a query gets the same score for the same row from every kind of index and
in every batch.
"""

import numpy as np

from pipelines.neighbours.kinds.base import CACHE_ROWS, MISSING, SearchResult, as_float32, blocks, ranked
from pipelines.tables.arrays import Array, Floats, Ints


def exact_scores(vectors: Array, queries: Floats, rows: Ints) -> Floats:
    """Return the inner products of each query with its own rows.

    `vectors` `[num_vectors, dim]`, `queries` float32 `[num_queries, dim]`, `rows` `[num_queries, m]` with -1 for none.
    Each product is summed in the same order whatever else is in the batch: BLAS would not promise that, and the
    similar-items table must equal a single search.
    """
    scores, vectors = np.full(rows.shape, MISSING, dtype=np.float32), np.asarray(vectors)
    owners, places = np.nonzero(rows >= 0)
    for part in blocks(len(owners), CACHE_ROWS):
        owner, place = owners[part], places[part]
        gathered = as_float32(vectors[rows[owner, place]])
        scores[owner, place] = np.einsum("ij,ij->i", gathered, queries[owner], optimize=False)
    return scores


def rerank(vectors: Array, queries: Floats, rows: Ints, k: int) -> SearchResult:
    """Return the best `k` of each query's candidate `rows` `[num_queries, m]` by their exact scores."""
    return ranked(rows, exact_scores(vectors, queries, rows), k)
