"""PCA, an inverted file and 8-bit scalar quantisation, with exact re-ranking (Etsy 2021's kind of index).

Owns training and searching the lists. Training sees a bounded seeded sample; adding goes block by block, so memory
grows by the codes alone. Two builds of the same vectors on the same machine give equal bytes: each list is filled by
one thread, in the order of rows.
"""

from typing import Any

from pipelines.neighbours.kinds.base import blocks, check_vectors
from pipelines.neighbours.kinds.projected import ProjectedIndex
from pipelines.neighbours.kinds.projection import Projection, projected_sample
from pipelines.neighbours.memory import ivf_pca_bytes
from pipelines.neighbours.settings import IvfPcaConfig
from pipelines.tables.arrays import Array

FILE = "ivf_pca.faiss"
ITERATIONS = 10


class IvfPcaIndex(ProjectedIndex[IvfPcaConfig]):
    """Visit the lists nearest to the query and score their codes."""

    kind = "ivf_pca"
    file = FILE

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

        sample = projected_sample(vectors, self._project, self._config.train_rows, self._seed)
        lists, dim = self._config.num_lists(len(vectors)), sample.shape[1]
        quantizer = faiss.IndexFlatL2(dim)
        index = faiss.IndexIVFScalarQuantizer(quantizer, dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2)
        quantizer.this.disown()
        index.own_fields = True
        index.cp.seed, index.cp.niter, index.cp.min_points_per_centroid = self._seed + 1, ITERATIONS, 1
        index.train(sample)
        return index

    def _parameters(self, fetch: int, effort: int) -> Any:  # noqa: ARG002 - lists hold what they hold
        """Multiply the lists visited by `effort`."""
        import faiss

        probes = min(self._config.num_probes(self._index.nlist) * effort, self._index.nlist)
        return faiss.SearchParametersIVF(nprobe=probes)

    def predicted_bytes(self, num_vectors: int) -> int:
        """Return the memory of codes, ids and centroids."""
        return ivf_pca_bytes(num_vectors, self._dim, self._config)
