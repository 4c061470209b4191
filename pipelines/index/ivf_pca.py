"""PCA, an inverted file and 8-bit scalar quantisation, with exact re-ranking (Etsy 2021's kind of index).

Owns training and searching the lists. Training sees a bounded seeded sample; adding goes block by block, so memory
grows by the codes alone. Two builds of the same vectors on the same machine give equal bytes: each list is filled by
one thread, in the order of rows.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pipelines.index.base import Array, Floats, SearchResult, blocks, check_queries, check_vectors, sample_rows
from pipelines.index.memory import ivf_pca_bytes
from pipelines.index.projection import Projection
from pipelines.index.rerank import rerank
from pipelines.index.settings import IvfPcaConfig

FILE = "ivf_pca.faiss"
ITERATIONS = 10


class IvfPcaIndex:
    """Visit the lists nearest to the query and score their codes."""

    kind = "ivf_pca"
    is_exact = False

    def __init__(self, config: IvfPcaConfig, seed: int = 0, block_rows: int = 32_768, dim: int = 512) -> None:
        self._config, self._seed, self._block_rows, self._dim = config, seed, block_rows, dim
        self._index: Any = None
        self._project = Projection()
        self._vectors: Array

    def build(self, vectors: Array) -> None:
        """Train on a sample of `vectors` `[num_vectors, dim]`, then add them all in order."""
        check_vectors(vectors)
        self._vectors, self._dim = vectors, vectors.shape[1]
        self._project = Projection.learned(vectors, self._config.dim, self._config.train_rows, self._seed)
        self._index = self._trained(vectors)
        for part in blocks(len(vectors), self._block_rows):
            self._index.add(self._project(vectors[part]))

    def _trained(self, vectors: Array) -> Any:
        import faiss

        rows = sample_rows(len(vectors), self._config.train_rows, self._seed)
        sample = np.concatenate([self._project(vectors[rows[part]]) for part in blocks(len(rows), self._block_rows)])
        lists, dim = self._config.num_lists(len(vectors)), sample.shape[1]
        quantizer = faiss.IndexFlatL2(dim)
        index = faiss.IndexIVFScalarQuantizer(quantizer, dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2)
        quantizer.this.disown()
        index.own_fields = True
        index.cp.seed, index.cp.niter, index.cp.min_points_per_centroid = self._seed + 1, ITERATIONS, 1
        index.train(sample)
        return index

    def search(self, queries: Floats, k: int, effort: int = 1) -> SearchResult:
        """Return the best `k` rows of each query; `effort` multiplies the lists visited."""
        import faiss

        queries = check_queries(queries, self._dim, k)
        probes = min(self._config.num_probes(self._index.nlist) * effort, self._index.nlist)
        fetch = min(k * self._config.rerank, self._index.ntotal)
        params = faiss.SearchParametersIVF(nprobe=probes)
        _, rows = self._index.search(self._project.queries(queries), fetch, params=params)
        return rerank(self._vectors, queries, rows, k)

    def save(self, folder: Path) -> None:
        """Write the lists and the projection."""
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
        """Return the memory of codes, ids and centroids."""
        return ivf_pca_bytes(num_vectors, self._dim, self._config)
