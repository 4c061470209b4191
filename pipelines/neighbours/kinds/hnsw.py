"""A navigable small-world graph (Malkov and Yashunin, 2016) over projected vectors of 8 bits, with exact re-ranking.

Owns building and searching the graph. faiss cannot delete from it: dead rows are filtered by the query plan.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.neighbours.kinds.base import blocks, check_vectors
from pipelines.neighbours.kinds.projected import ProjectedIndex
from pipelines.neighbours.kinds.projection import Projection, projected_sample
from pipelines.neighbours.memory import hnsw_bytes
from pipelines.neighbours.settings import HnswConfig
from pipelines.tables.arrays import Array

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


class HnswIndex(ProjectedIndex[HnswConfig]):
    """Walk a graph of neighbours; build it on one thread for equal bytes, on all of them for speed."""

    kind = "hnsw"
    file = FILE

    def build(self, vectors: Array) -> None:
        """Learn the projection and link `vectors` `[num_vectors, dim]` in their order, block by block."""
        import faiss

        check_vectors(vectors)
        self._vectors, self._dim = vectors, vectors.shape[1]
        with _threads(1 if self._config.deterministic else None):
            self._project = Projection.learned(vectors, self._config.dim, self._config.train_rows, self._seed)
            sample = projected_sample(vectors, self._project, self._config.train_rows, self._seed)
            bits = faiss.ScalarQuantizer.QT_8bit
            index = faiss.IndexHNSWSQ(sample.shape[1], bits, self._config.links, faiss.METRIC_L2)
            index.train(sample)
            index.hnsw.efConstruction = self._config.ef_construction
            for part in blocks(len(vectors), self._block_rows):
                index.add(self._project(vectors[part]))
        self._index = index

    def _parameters(self, fetch: int, effort: int) -> Any:
        """Multiply efSearch by `effort`."""
        import faiss

        return faiss.SearchParametersHNSW(efSearch=max(self._config.ef_search * effort, fetch))

    def predicted_bytes(self, num_vectors: int) -> int:
        """Return the memory of codes and links."""
        return hnsw_bytes(num_vectors, self._dim, self._config)
