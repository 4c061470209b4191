"""Fewer dimensions for graph and list indexes: PCA learned on a bounded, seeded sample.

Owns the choice between PCA and no projection, and its file. Must not know the index it feeds.
"""

from pathlib import Path
from typing import Any

from pipelines.index.base import Array, Floats, as_float32, sample_rows
from pipelines.index.settings import kept_dim

FILE = "projection.faiss"


class Projection:
    """Map vectors `[n, dim]` to `[n, kept]`; with too few vectors to learn from, leave them as they are."""

    def __init__(self, transform: Any = None) -> None:
        self._transform = transform

    @classmethod
    def learned(cls, vectors: Array, wanted: int, train_rows: int, seed: int) -> "Projection":
        """Learn PCA on at most `train_rows` of `vectors`; see `kept_dim` for when nothing is learned."""
        import faiss

        num_vectors, dim = vectors.shape
        kept = kept_dim(num_vectors, dim, wanted, train_rows)
        if kept == dim:
            return cls()
        transform = faiss.PCAMatrix(dim, kept)
        transform.train(as_float32(vectors[sample_rows(num_vectors, train_rows, seed)]))
        return cls(transform)

    def __call__(self, vectors: Array) -> Floats:
        """Return `vectors` as float32 in the kept dimensions."""
        full = as_float32(vectors)
        projected: Floats = full if self._transform is None else self._transform.apply(full)
        return projected

    def save(self, folder: Path) -> None:
        """Write the projection, if there is one."""
        import faiss

        if self._transform is not None:
            faiss.write_VectorTransform(self._transform, str(folder / FILE))

    @classmethod
    def load(cls, folder: Path) -> "Projection":
        """Read what `save` wrote; no file means no projection."""
        import faiss

        path = folder / FILE
        return cls(faiss.read_VectorTransform(str(path)) if path.exists() else None)
