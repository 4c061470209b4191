"""A navigable small-world graph (Malkov and Yashunin, 2016) over projected vectors, with exact re-ranking.

Owns building and searching the graph. faiss cannot delete from it: dead rows are filtered by the query plan.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.index.base import Array, Floats, SearchResult, blocks, check_queries, check_vectors
from pipelines.index.memory import hnsw_bytes
from pipelines.index.projection import Projection
from pipelines.index.rerank import rerank
from pipelines.index.settings import HnswConfig

FILE = "hnsw.faiss"


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count or before)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class HnswIndex:
    """Walk a graph of neighbours; build it on one thread for equal bytes, on all of them for speed."""

    kind = "hnsw"
    is_exact = False

    def __init__(self, config: HnswConfig, seed: int = 0, block_rows: int = 32_768, dim: int = 512) -> None:
        self._config, self._seed, self._block_rows, self._dim = config, seed, block_rows, dim
        self._index: Any = None
        self._project = Projection()
        self._vectors: Array

    def build(self, vectors: Array) -> None:
        """Learn the projection and link `vectors` `[num_vectors, dim]` in their order, block by block."""
        import faiss

        check_vectors(vectors)
        self._vectors, self._dim = vectors, vectors.shape[1]
        with _threads(1 if self._config.deterministic else None):
            self._project = Projection.learned(vectors, self._config.dim, self._config.train_rows, self._seed)
            index = faiss.IndexHNSWFlat(self._project(vectors[:1]).shape[1], self._config.links, faiss.METRIC_L2)
            index.hnsw.efConstruction = self._config.ef_construction
            for part in blocks(len(vectors), self._block_rows):
                index.add(self._project(vectors[part]))
        self._index = index

    def search(self, queries: Floats, k: int, effort: int = 1) -> SearchResult:
        """Return the best `k` rows of each query; `effort` multiplies efSearch."""
        import faiss

        queries = check_queries(queries, self._dim, k)
        fetch = min(k * self._config.rerank, self._index.ntotal)
        width = max(self._config.ef_search * effort, fetch)
        params = faiss.SearchParametersHNSW(efSearch=width)
        _, rows = self._index.search(self._project.queries(queries), fetch, params=params)
        return rerank(self._vectors, queries, rows, k)

    def save(self, folder: Path) -> None:
        """Write the graph and the projection."""
        import faiss

        self._project.save(folder)
        faiss.write_index(self._index, str(folder / FILE))

    def load(self, folder: Path, vectors: Array) -> None:
        """Read what `save` wrote, over the same `vectors`."""
        import faiss

        self._vectors, self._dim = vectors, vectors.shape[1]
        self._project = Projection.load(folder)
        self._index = faiss.read_index(str(folder / FILE))

    def predicted_bytes(self, num_vectors: int) -> int:
        """Return the memory of projected vectors and links."""
        return hnsw_bytes(num_vectors, self._dim, self._config)
