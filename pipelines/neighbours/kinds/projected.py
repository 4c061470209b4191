"""What indexes over projected vectors share: candidates by faiss in fewer dimensions, ranked by the stored vectors.

Owns the projection, the search around faiss, and the files. A kind owns how its faiss index is made and steered.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from pipelines.neighbours.kinds.base import SearchResult, check_queries
from pipelines.neighbours.kinds.projection import Projection
from pipelines.neighbours.kinds.rerank import rerank
from pipelines.neighbours.settings import HnswConfig, IvfPcaConfig
from pipelines.tables.arrays import Array, Floats


class ProjectedIndex[Config: (HnswConfig, IvfPcaConfig)](ABC):
    """Find candidates among projected vectors and rank them by the vectors themselves."""

    kind: str
    is_exact = False
    file: ClassVar[str]

    def __init__(self, config: Config, seed: int = 0, block_rows: int = 32_768, dim: int = 512) -> None:
        self._config: Config = config
        self._seed, self._block_rows, self._dim = seed, block_rows, dim
        self._index: Any = None
        self._project = Projection()
        self._vectors: Array

    def search(self, queries: Floats, k: int, effort: int = 1) -> SearchResult:
        """Return the best `k` rows of each query; a larger `effort` looks further."""
        queries = check_queries(queries, self._dim, k)
        fetch = min(k * self._config.rerank, self._index.ntotal)
        _, rows = self._index.search(self._project.queries(queries), fetch, params=self._parameters(fetch, effort))
        return rerank(self._vectors, queries, rows, k)

    @abstractmethod
    def _parameters(self, fetch: int, effort: int) -> Any:
        """Return faiss' search parameters for `fetch` candidates."""

    def save(self, folder: Path) -> None:
        """Write faiss' index and the projection."""
        import faiss

        self._project.save(folder)
        faiss.write_index(self._index, str(folder / self.file))

    def load(self, folder: Path, vectors: Array) -> None:
        """Map what `save` wrote, over the same `vectors`: it is read as it is searched, and never copied whole."""
        import faiss

        self._vectors, self._dim = vectors, vectors.shape[1]
        self._project = Projection.load(folder)
        self._index = faiss.read_index(str(folder / self.file), faiss.IO_FLAG_MMAP_IFC)
