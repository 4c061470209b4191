"""Made-up photos whose vectors are clustered like a catalogue's, and codes that keep their neighbourhoods."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.neighbours.folder import IndexInput, build_index
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.settings import IndexConfig

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


@dataclass(frozen=True)
class Line:
    """One photo of one item: the photo is named by the angle of its vector, in degrees."""

    item_id: str
    angle: int
    slot: int = 0
    group_id: str | None = None
    position: int = 0
    active: bool = True
    votes: bool = True
    attributes: tuple[tuple[str, str], ...] = ()
    signals: tuple[tuple[str, float], ...] = ()


def at_angles(*degrees: float) -> np.ndarray:
    """Unit vectors [n, 2]: their inner product is the cosine of the angle between them."""
    radians = np.deg2rad(np.array(degrees, np.float64))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def angle_code(*degrees: int) -> np.ndarray:
    """Codes of 360 bits: bit i is set when i < angle, so that the Hamming distance is the difference of angles."""
    return np.packbits(np.arange(360)[None, :] < np.array(degrees)[:, None], axis=1)


def angle_digest(degree: int) -> bytes:
    return degree.to_bytes(32, "big")


def shop_data(*lines: Line, **changes: Any) -> IndexInput:
    angles = sorted({line.angle for line in lines})
    items = pa.table(
        {
            "digest": pa.array([angle_digest(line.angle) for line in lines], pa.binary(32)),
            "item_id": [line.item_id for line in lines],
            "group_id": pa.array([line.group_id for line in lines], pa.string()),
            "category": [["all", f"c{line.slot}"] for line in lines],
            "slot": [line.slot for line in lines],
            "image_uri": [f"{line.item_id}-{line.angle}.jpg" for line in lines],
            "position": [line.position for line in lines],
            "active": [line.active for line in lines],
            "votes": [line.votes for line in lines],
            "attributes": pa.array([line.attributes for line in lines], pa.map_(pa.string(), pa.string())),
            "signals": pa.array([line.signals for line in lines], pa.map_(pa.string(), pa.float64())),
        }
    )
    digests = np.array([list(angle_digest(angle)) for angle in angles], np.uint8)
    plain = {"digests": digests, "vectors": at_angles(*angles), "hashes": angle_code(*angles), "items": items}
    return IndexInput(**{"space_id": "space", "model_id": "model", **plain, **changes})


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Searcher]:
    """Build and open an index of a few hand-placed photos."""

    def build(
        *lines: Line, dead: tuple[str, ...] = (), changes: dict[str, Any] | None = None, **config: Any
    ) -> Searcher:
        settings = {"kinds": ("binary",), "attributes": ("colour",), "signals": ("sales",), **config}
        build_index(tmp_path / "index", shop_data(*lines, **(changes or {})), IndexConfig(**settings))
        return Searcher.open(tmp_path / "index", dead_items=dead)

    return build


@pytest.fixture(scope="session")
def line() -> type[Line]:
    return Line


@pytest.fixture(scope="session")
def hand_made() -> SimpleNamespace:
    """The helpers that place photos by hand."""
    return SimpleNamespace(at_angles=at_angles, angle_code=angle_code, shop_data=shop_data, angle_digest=angle_digest)


@pytest.fixture(scope="session")
def medium_folder(medium: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of every kind of 6,000 photos."""
    folder = tmp_path_factory.mktemp("medium") / "index"
    build_index(folder, medium.data(), IndexConfig(kinds=("exact", "hnsw", "ivf_pca", "binary")))
    return folder
