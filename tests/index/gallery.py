"""A store as the stages before index leave it, with made-up vectors."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.config import Config
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, PreprocessOutputs
from pipelines.store import UnitTable, initialise
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS, RESOLVED_VECTORS, VECTOR_KEYS
from pipelines.telemetry.progress import Progress
from tests.models.model_json import model_json

BUCKETS = 4
DIM, BITS = 32, 64
LEVELS = [[0, 1], [0, 1, 2, 3]]
UNIT_ROWS = 50


def digest_of(photo: int) -> bytes:
    return hashlib.sha256(str(photo).encode()).digest()


@dataclass
class Photo:
    """One photo of one item; equal `photo` numbers are one photo."""

    item: str
    photo: int
    role: str = "main"
    code: str = ""
    position: int = 0


@dataclass
class Gallery:
    """A catalogue of photos, its vectors and the manifests of a run."""

    root: Path
    photos: list[Photo]
    groups: dict[str, str] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    paths: dict[str, list[str]] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    rejected: set[int] = field(default_factory=set)
    curated: str = ""
    ranking: dict[str, Any] | None = None
    store: FolderStore = field(init=False)
    vectors: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.store = FolderStore(self.root)
        initialise(self.store, BUCKETS)
        rng = np.random.default_rng(0)
        count = 1 + max(p.photo for p in self.photos)
        leaf = np.arange(count) % 4
        raw = rng.normal(size=(4, DIM))[leaf] + 0.7 * rng.normal(size=(count, DIM))
        self.vectors = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype("<f2")
        self.planes = rng.normal(size=(DIM, BITS))

    def category(self, item: str) -> list[str]:
        if item in self.paths:
            return self.paths[item]
        first = next(p.photo for p in self.photos if p.item == item)
        return ["all", f"leaf {first % 4}"]

    def write(self, run_id: str = "r", space: str = "space", models: Sequence[str] = ("model",)) -> None:
        """Write everything; photos are dealt to the models in turn."""
        for model in models:
            facts = model_json(model, space, levels=LEVELS, dim=DIM, bits=BITS, ranking=self.ranking)
            self.store.create_json(f"models/{model}/model.json", facts)
        leaves = {f"all > leaf {n}": n for n in range(4)}
        step = {"leaves": leaves, "levels": [{"all": 0}, leaves], "attributes": {}}
        self.store.create_json("taxonomy/00000001.json", step)
        self._write_vectors(run_id, space, models)
        self.write_catalogue(run_id)
        outputs = EmbedOutputs(models[0], space, f"runs/{run_id}/embed/vectors").as_json()
        self.store.create_json(f"runs/{run_id}/embed/manifest.json", {"outputs": outputs})

    def write_catalogue(self, run_id: str) -> None:
        """Write the items, the resolved photos and the manifest of preprocess."""
        items = [
            {
                "item_id": item,
                "group_id": self.groups.get(item, ""),
                "category": self.category(item),
                "title": f"the {item}",
                "price": self.prices.get(item, 1.0),
                "attributes": [("colour", "red")],
                "signals": [("sales", 3.0)],
            }
            for item in sorted({p.item for p in self.photos})
        ]
        photos = [
            {
                "item_id": p.item,
                "image_uri": f"{p.item}-{p.photo}.jpg",
                "role": p.role,
                "position": p.position,
                "split": self.splits.get(p.item, "train"),
                "digest": digest_of(p.photo),
                "code": p.code,
                "image_unit": "u",
                "image_row": 0,
            }
            for p in self.photos
        ]
        self._write_buckets(f"catalogue/{run_id}/items", items, ITEMS, "item_id")
        self._write_buckets(f"runs/{run_id}/preprocess/photos", photos, RESOLVED_PHOTOS, "item_id")
        outputs = PreprocessOutputs("p", run_id, f"runs/{run_id}/preprocess/photos", len(photos)).as_json()
        self.store.create_json(f"runs/{run_id}/preprocess/manifest.json", {"outputs": outputs})
        self._write_read(run_id, run_id)

    def adopt_vectors(self, run_id: str, of_run: str) -> None:
        """Let another run say the same of its vectors."""
        manifest = self.store.read_json(f"runs/{of_run}/embed/manifest.json")
        self.store.create_json(f"runs/{run_id}/embed/manifest.json", manifest)

    def adopt_photos(self, run_id: str, of_run: str) -> None:
        """Let another run say the same of its photos."""
        manifest = self.store.read_json(f"runs/{of_run}/preprocess/manifest.json")
        self.store.create_json(f"runs/{run_id}/preprocess/manifest.json", manifest)
        self._write_read(run_id, of_run)

    def context(self, run_id: str = "r", **changes: Any) -> RunContext:
        columns = {"item_id": "i", "photos": "p", "category": "c"}
        columns |= {"attributes": {"colour": "c"}, "signals": {"sales": "s"}}  # type: ignore[dict-item]
        values = {
            "store": {"uri": str(self.root), "buckets": BUCKETS},
            "catalogue": {"snapshot": "feed.csv", "columns": columns},
            "recipe": "etsy",
            "index": {"similar": 5, **changes.pop("index", {})},
            **changes,
        }
        return RunContext(Config.model_validate(values), self.store, run_id, BUCKETS, Progress(quiet=True))

    def _write_read(self, run_id: str, catalogue_id: str) -> None:
        """Write the manifest of the catalogue stage."""
        outputs = CatalogueOutputs(catalogue_id, 1, {}, self.curated).as_json()
        self.store.create_json(f"runs/{run_id}/catalogue/manifest.json", {"outputs": outputs})

    def _write_vectors(self, run_id: str, space: str, models: Sequence[str]) -> None:
        resolved = []
        for m, model in enumerate(models):
            numbers = [n for n in range(len(self.vectors)) if n % len(models) == m]
            for start in range(0, len(numbers), UNIT_ROWS):
                part = numbers[start : start + UNIT_ROWS]
                unit = f"{start:016x}"
                self._commit(f"embeddings/{space}/{model}", unit, part)
                resolved += [
                    {
                        "digest": digest_of(n),
                        "view": "full",
                        "model_id": model,
                        "unit_id": unit,
                        "row": row,
                        "code": "nonfinite" if n in self.rejected else "",
                    }
                    for row, n in enumerate(part)
                ]
        self._write_buckets(f"runs/{run_id}/embed/vectors", resolved, RESOLVED_VECTORS, "digest")

    def _commit(self, prefix: str, unit: str, numbers: list[int]) -> None:
        digests = [digest_of(n) for n in numbers]
        count, rows = len(numbers), list(range(len(numbers)))
        keys = pa.table([digests, ["full"] * count, [""] * count, rows], schema=VECTOR_KEYS)
        codes = np.packbits(self.vectors[numbers].astype(float) @ self.planes > 0, axis=1)
        data = {
            "digest": pa.array(digests, pa.binary(32)),
            "view": ["full"] * count,
            "embedding": pa.array([self.vectors[n].tobytes() for n in numbers], pa.binary(2 * DIM)),
            "hash": pa.array([code.tobytes() for code in codes], pa.binary(BITS // 8)),
            "category_slots": pa.array(
                [[0, 1, -1, *2 * [n % 4, (n + 1) % 4, (n + 2) % 4]] for n in numbers], pa.list_(pa.int32())
            ),
            "category_probabilities": pa.array([[0.9, 0.1, 0, *2 * [0.7, 0.2, 0.1]]] * count, pa.list_(pa.float32())),
        }
        UnitTable(self.store, prefix).commit(unit, keys, pa.table(data), row_group_rows=16)

    def _write_buckets(self, folder: str, rows: list[dict[str, Any]], schema: pa.Schema, key: str) -> None:
        for bucket in range(BUCKETS):
            part = [row for row in rows if bucket_of(row[key], BUCKETS) == bucket]
            if part:
                write_bucket(self.store, folder, bucket, pa.Table.from_pylist(part, schema))


def plain(root: Path, count: int = 120) -> Gallery:
    """One item a photo; item 1 shows item 0's photo, 2 and 3 are variants, the last item's photo has no vector."""
    photos = [Photo(f"item-{n:03}", 0 if n == 1 else n) for n in range(count)]
    photos.append(Photo("item-000", count, position=1))
    photos.append(Photo("item-004", count + 1, role="street"))
    photos.append(Photo("item-005", count + 2, code="truncated"))
    groups = {"item-002": "pair", "item-003": "pair"}
    return Gallery(root, photos, groups, rejected={count - 1})
