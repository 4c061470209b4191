"""Made-up photos whose vectors are clustered like a catalogue's, and codes that keep their neighbourhoods."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.index.write import IndexInput

DIM = 512


@dataclass(frozen=True)
class Catalogue:
    vectors: np.ndarray  # float32 [n, 512], normalised
    hashes: np.ndarray  # uint8 [n, 512]: signs of 4096 random projections
    slots: np.ndarray  # int64 [n]
    digests: np.ndarray  # uint8 [n, 32]
    planes: np.ndarray

    def hash(self, vectors: np.ndarray) -> np.ndarray:
        return np.packbits(vectors @ self.planes > 0, axis=1)

    def items(self, **columns: Any) -> pa.Table:
        """One item a photo, `i00000` and so on; columns replace or add."""
        n = len(self.vectors)
        plain = {
            "digest": pa.array([d.tobytes() for d in self.digests], pa.binary(32)),
            "item_id": [f"i{i:05}" for i in range(n)],
            "group_id": pa.nulls(n, pa.string()),
            "category": [["all", f"c{s}"] for s in self.slots],
            "slot": self.slots,
            "image_uri": [f"photos/{i}.jpg" for i in range(n)],
        }
        return pa.table({**plain, **columns})

    def data(self, **changes: Any) -> IndexInput:
        plain = {
            "space_id": "space",
            "model_id": "model",
            "digests": self.digests,
            "vectors": self.vectors.astype(np.float16),
            "hashes": self.hashes,
            "items": self.items() if "items" not in changes else changes["items"],
        }
        return IndexInput(**{**plain, **changes})

    def queries(self, count: int, seed: int = 7) -> np.ndarray:
        """Vectors near stored ones."""
        rng = np.random.default_rng(seed)
        near = self.vectors[rng.choice(len(self.vectors), count, replace=False)]
        return normalised(near + 0.3 * rng.normal(size=near.shape) / np.sqrt(DIM))


def normalised(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def catalogue(n: int, categories: int = 12, seed: int = 0) -> Catalogue:
    """Each vector is its category's centre, a point in a 32-dimensional cloud around it, and a little noise."""
    rng = np.random.default_rng(seed)
    slots = rng.integers(0, categories, n)
    centres = rng.normal(size=(categories, DIM)) / np.sqrt(DIM)
    directions = rng.normal(size=(32, DIM)) / np.sqrt(DIM)
    cloud = rng.normal(size=(n, 32)) @ directions / np.sqrt(32)
    vectors = normalised(centres[slots] + cloud + 0.2 * rng.normal(size=(n, DIM)) / np.sqrt(DIM))
    planes = rng.normal(size=(DIM, 4096)).astype(np.float32)
    digests = rng.integers(0, 256, (n, 32), dtype=np.uint8)
    return Catalogue(vectors, np.packbits(vectors @ planes > 0, axis=1), slots, digests, planes)


@pytest.fixture(scope="session")
def make_catalogue() -> Callable[..., Catalogue]:
    return catalogue


@pytest.fixture(scope="session")
def small() -> Catalogue:
    return catalogue(100, categories=4)


@pytest.fixture(scope="session")
def medium() -> Catalogue:
    return catalogue(6_000)
