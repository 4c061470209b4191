"""Fewer dimensions for graph and list indexes: PCA learned on a bounded, seeded sample.

Owns the choice between PCA and no projection, and its file.
"""

from pathlib import Path

import numpy as np

from pipelines.neighbours.kinds.base import as_float32, blocks, sample_rows
from pipelines.neighbours.settings import kept_dim
from pipelines.tables.arrays import Array, Floats

FILE = "projection.npy"
BLOCK_ROWS = 8_192


class Projection:
    """Map vectors `[n, dim]` to `[n, kept]`; with too few vectors to learn from, leave them as they are.

    `matrix` float32 `[kept, dim + 1]`: a principal axis a row, and last the offset that centres the sample.
    """

    def __init__(self, matrix: Floats | None = None) -> None:
        self._matrix = matrix

    @classmethod
    def learned(cls, vectors: Array, wanted: int, train_rows: int, seed: int) -> "Projection":
        """Learn PCA on at most `train_rows` of `vectors`; see `kept_dim` for when nothing is learned."""
        num_vectors, dim = vectors.shape
        kept = kept_dim(num_vectors, dim, wanted, train_rows)
        if kept == dim:
            return cls()
        rows = sample_rows(num_vectors, train_rows, seed)
        total, products = np.zeros(dim), np.zeros((dim, dim))
        for part in blocks(len(rows), BLOCK_ROWS):
            block = as_float32(vectors[rows[part]])
            total += block.sum(axis=0, dtype=np.float64)
            products += block.T @ block
        mean = total / len(rows)
        axes = np.linalg.eigh(products / len(rows) - np.outer(mean, mean))[1][:, ::-1][:, :kept].T
        return cls(np.concatenate([axes, -(axes @ mean)[:, None]], axis=1).astype(np.float32))

    def __call__(self, vectors: Array) -> Floats:
        """Return stored `vectors` as float32 in the kept dimensions."""
        full = as_float32(vectors)
        if self._matrix is None:
            return full
        projected: Floats = full @ self._matrix[:, :-1].T
        projected += self._matrix[:, -1]
        return projected

    def queries(self, vectors: Floats) -> Floats:
        """Return query `vectors` in the kept dimensions, summed in the same order whatever else is in the batch."""
        if self._matrix is None:
            return vectors
        return np.einsum("ij,kj->ik", vectors, self._matrix[:, :-1], optimize=False) + self._matrix[:, -1]

    def save(self, folder: Path) -> None:
        """Write the projection, if there is one."""
        if self._matrix is not None:
            np.save(folder / FILE, self._matrix)

    @classmethod
    def load(cls, folder: Path) -> "Projection":
        """Read what `save` wrote; no file means no projection."""
        path = folder / FILE
        return cls(np.load(path) if path.exists() else None)


def projected_sample(vectors: Array, project: Projection, size: int, seed: int) -> Floats:
    """Return at most `size` of the stored `vectors` float32 `[n, kept]`, for what else is learned of them."""
    rows = sample_rows(len(vectors), size, seed)
    return np.concatenate([project(vectors[rows[part]]) for part in blocks(len(rows), BLOCK_ROWS)])
