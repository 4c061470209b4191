"""The kinds of index over embeddings, by name.

Owns how each is made from an `IndexConfig`. `binary` is searched by codes, not embeddings, and is not among them.
"""

from pipelines.neighbours.kinds.base import VectorIndex
from pipelines.neighbours.settings import IndexConfig


def vector_index(kind: str, config: IndexConfig, dim: int) -> VectorIndex:
    """Return an empty index of `kind` for vectors of `dim` dimensions, without loading faiss."""
    from pipelines.neighbours.kinds.exact import ExactIndex
    from pipelines.neighbours.kinds.hnsw import HnswIndex
    from pipelines.neighbours.kinds.ivf_pca import IvfPcaIndex

    if kind == "exact":
        return ExactIndex()
    if kind == "hnsw":
        return HnswIndex(config.hnsw, config.seed, config.block_rows, dim)
    if kind == "ivf_pca":
        return IvfPcaIndex(config.ivf_pca, config.seed, config.block_rows, dim)
    raise ValueError(f"no index over embeddings of kind {kind!r}: choose from exact, hnsw, ivf_pca")


def is_deterministic(kind: str, config: IndexConfig) -> bool:
    """Tell whether two builds of `kind` from the same data on the same machine give equal bytes."""
    return kind != "hnsw" or config.hnsw.deterministic
