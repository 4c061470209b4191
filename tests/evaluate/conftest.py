"""A small store as the earlier stages leave it: drawn vectors in clusters by leaf, real images, a built index."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pipelines.config import Config
from pipelines.hidden.settled import IDS
from pipelines.models.facts import ModelFacts
from pipelines.models.outputs import QueryOutputs
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs, StageOutputs
from pipelines.store import UnitTable, initialise, open_store, unit_id_of
from pipelines.tables.buckets import bucket_of, write_bucket, write_parquet
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS, ITEMS, RESOLVED_PHOTOS, RESOLVED_VECTORS, VECTOR_KEYS
from pipelines.telemetry.progress import Progress
from tests.models.model_json import model_json

DIM, BUCKETS, PREP = 512, 4, "64x48-q95-v1"
ENTRY = "catalogue/log/00000001.json"
"""The entry of the catalogue of every run."""
LEAVES = [("shoes", "boots"), ("shoes", "sandals"), ("bags", "totes"), ("bags", "belts"), ("hats",)]
LEAF = {"slots": [0, 1, 2, 3, 4], "trained": [0, 1, 2, 3, 4], "category_mass": 0.95}
COLOURS = ["red", "green", "blue"]


SERVED: dict[str, dict[tuple[str, int], Photo]] = {}
"""What each fake model would be run on: the photos by image unit and row."""


@dataclass
class Photo:
    """One photo of the fake catalogue; equal `pixels` make equal digests."""

    item: int
    pixels: str
    vector: np.ndarray
    role: str = "main"
    split: str = "train"

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.pixels.encode()).digest()


@dataclass
class Fake:
    """What the fake stages are made from; a test may change it before `write`."""

    items: int = 200
    seed: int = 3
    noise: float = 0.55
    street: bool = False
    built: bool = False
    price: float = 0.0
    tint: str = ""
    hidden: tuple[int, ...] = ()
    photos: list[Photo] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        centres = random.normal(size=(len(LEAVES), DIM))
        tints = random.normal(size=(len(COLOURS), DIM)) * 0.5
        for item in range(self.items):
            own = centres[item % len(LEAVES)] + tints[item % len(COLOURS)] + self.noise * random.normal(size=DIM)
            split = "test" if item // len(LEAVES) % 4 == 0 else "train"
            pixels = f"photo-{item - 1}" if item % 40 == 7 else f"photo-{item}"
            vector = self.photos[-1].vector if item % 40 == 7 else _unit(own)
            self.photos.append(Photo(item, pixels, vector, split="train" if item % 40 in {6, 7} else split))
        if self.street:
            for item in range(0, self.items, 4):
                near = _unit(self.photos[item].vector + 0.02 * random.normal(size=DIM))
                self.photos.append(Photo(item, f"street-{item}", near, "street", "test"))


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def item_id(item: int) -> str:
    return f"item-{item:04d}"


def jpeg(text: str) -> bytes:
    colour = tuple(hashlib.sha256(text.encode()).digest()[:3])
    sink = io.BytesIO()
    Image.new("RGB", (48, 64), colour).save(sink, "JPEG")
    return sink.getvalue()


def config(tmp_path: Path, **sections: Any) -> Config:
    raw = {
        "recipe": "ebay",
        "store": {"uri": str(tmp_path / "store"), "buckets": BUCKETS},
        "catalogue": {
            "snapshot": "feed.csv",
            "columns": {"item_id": "i", "photos": "p", "category": "c", "attributes": {"colour": "k"}},
        },
        "search": {"categories": 5},  # the fake model is sure of what is wrong
        "evaluate": {
            "queries": 1000,
            "examples": 9,
            "floors": {"recall.plan_at_10": 0.5},
            "margins": {"retrieval.p_at_10": 0.05},
            "histogram_margin": -1,
        },
        **sections,
    }
    return Config.model_validate(raw)


def write_run(
    context: RunContext, fake: Fake, model_id: str = "model-a", space_id: str = "space-a", catalogue_id: str = "cat-1"
) -> None:
    """Write everything that evaluate reads of a run."""
    store, run = context.store, context.run_id
    store.create_json(ENTRY, {"at": "2026-01-01T00:00:00+00:00", "absent": {}})
    _catalogue(context, fake, catalogue_id)
    places = _images(context, fake)
    _photos(context, fake, places)
    _vectors(context, fake, model_id, space_id)
    _model(context, model_id, space_id)
    _curves(context, model_id)
    SERVED[model_id] = {places[photo.digest]: photo for photo in fake.photos}
    index_id = _index(context, fake, model_id, space_id)
    hidden = f"{context.prefix('index')}/hidden.parquet"
    write_parquet(store, hidden, pa.table([[item_id(item) for item in fake.hidden]], schema=IDS))
    outputs: list[StageOutputs] = [
        CatalogueOutputs(catalogue_id, 1, {"snapshot": "2026-01-01"}),
        PreprocessOutputs(PREP, catalogue_id, f"runs/{run}/preprocess/photos", len(fake.photos)),
        EmbedOutputs(model_id, space_id, f"runs/{run}/embed/vectors"),
        IndexOutputs(index_id, space_id, model_id, hidden),
    ]
    for values in outputs:
        counts = {"in": 3, "ok": 2, "skipped": 0, "rejected": 1, "built": int(fake.built)}
        facts = {
            "stage": values.stage,
            "outputs": values.as_json(),
            "counts": counts,
            "rejects": {"bad_image": 1},
            "seconds": 1.5,
            "notes": [],
        }
        store.create_json(f"runs/{run}/{values.stage}/manifest.json", facts)


def _catalogue(context: RunContext, fake: Fake, catalogue_id: str) -> None:
    if context.store.folders(f"catalogue/{catalogue_id}"):
        return
    rows = [
        {
            "item_id": item_id(n),
            "group_id": None,
            "category": list(LEAVES[n % len(LEAVES)]),
            "title": f"Title <{n}>",
            "price": fake.price,
            "attributes": [("colour", COLOURS[n % len(COLOURS)] + fake.tint)],
            "signals": [],
        }
        for n in sorted({photo.item for photo in fake.photos})
    ]
    for bucket in range(BUCKETS):
        chosen = [row for row in rows if bucket_of(row["item_id"], BUCKETS) == bucket]
        write_bucket(context.store, f"catalogue/{catalogue_id}/items", bucket, pa.Table.from_pylist(chosen, ITEMS))
    levels = [sorted({" > ".join(leaf[: n + 1]) for leaf in LEAVES if len(leaf) > n}) for n in range(2)]
    slots = [{value: slot for slot, value in enumerate(level)} for level in levels]
    leaves = {" > ".join(leaf): slot for slot, leaf in enumerate(LEAVES)}
    context.store.create_json("taxonomy/00000001.json", {"leaves": leaves, "levels": slots, "attributes": {}})


def _images(context: RunContext, fake: Fake) -> dict[bytes, tuple[str, int]]:
    digests = sorted({photo.digest: photo.pixels for photo in fake.photos}.items())
    unit = unit_id_of(digest for digest, _ in digests)
    rows = [{"digest": d, "image": jpeg(p), "width": 48, "height": 64, "phash": bytes(8)} for d, p in digests]
    keys = [{"digest": d, "code": "", "row": n, "phash": bytes(8)} for n, (d, _) in enumerate(digests)]
    table = UnitTable(context.store, f"images/{PREP}")
    table.commit(unit, pa.Table.from_pylist(keys, IMAGE_KEYS), pa.Table.from_pylist(rows, IMAGE_DATA))
    return {digest: (unit, row) for row, (digest, _) in enumerate(digests)}


def _photos(context: RunContext, fake: Fake, places: dict[bytes, tuple[str, int]]) -> None:
    rows = [
        {
            "item_id": item_id(p.item),
            "image_uri": f"{p.role}/{p.item}.jpg",
            "role": p.role,
            "position": 0,
            "split": p.split,
            "digest": p.digest,
            "code": "",
            "image_unit": places[p.digest][0],
            "image_row": places[p.digest][1],
            "phash": bytes(8),
            "group": p.digest[:8],
        }
        for p in fake.photos
    ]
    rows.append(rows[0] | {"image_uri": "bad.jpg", "code": "bad_image", "digest": None})
    for bucket in range(BUCKETS):
        chosen = [row for row in rows if bucket_of(row["item_id"], BUCKETS) == bucket]
        write_bucket(
            context.store,
            f"{context.prefix('preprocess')}/photos",
            bucket,
            pa.Table.from_pylist(chosen, RESOLVED_PHOTOS),
        )


def distinct(fake: Fake) -> list[Photo]:
    return [photo for _, photo in sorted({photo.digest: photo for photo in fake.photos}.items())]


def codes_of(vectors: np.ndarray) -> np.ndarray:
    planes = np.random.default_rng(0).normal(size=(DIM, 4096)).astype(np.float32)
    return np.packbits(vectors @ planes > 0, axis=1)


def _tops(photo: Photo) -> tuple[list[int], list[float]]:
    """The model of the fake run names every category right, but takes belts for totes."""
    leaf = LEAVES[photo.item % len(LEAVES)]
    leaf = ("bags", "totes") if leaf == ("bags", "belts") else leaf
    levels = [["bags", "hats", "shoes"], ["bags > belts", "bags > totes", "shoes > boots", "shoes > sandals"]]
    slots = [levels[n].index(" > ".join(leaf[: n + 1])) if len(leaf) > n else 0 for n in range(2)]
    tops = [slots[0], -1, -1, slots[1], -1, -1, LEAVES.index(leaf), -1, -1]
    return tops, [0.9, 0.0, 0.0, 0.8, 0.0, 0.0, 0.8, 0.0, 0.0]


def _vectors(context: RunContext, fake: Fake, model_id: str, space_id: str) -> None:
    photos, resolved = distinct(fake), []
    for part in (photos[::2], photos[1::2]):
        unit = unit_id_of(photo.digest for photo in part)
        codes = codes_of(np.stack([photo.vector for photo in part]))
        tops = [_tops(photo) for photo in part]
        data = pa.table(
            {
                "digest": pa.array([photo.digest for photo in part], pa.binary(32)),
                "view": ["full"] * len(part),
                "embedding": pa.array([photo.vector.astype("<f2").tobytes() for photo in part], pa.binary(2 * DIM)),
                "hash": pa.array([code.tobytes() for code in codes], pa.binary(512)),
                "category_slots": pa.array([slots for slots, _ in tops], pa.list_(pa.int32())),
                "category_probabilities": pa.array([shares for _, shares in tops], pa.list_(pa.float32())),
            }
        )
        keys = [{"digest": p.digest, "view": "full", "code": "", "row": n} for n, p in enumerate(part)]
        UnitTable(context.store, f"embeddings/{space_id}/{model_id}").commit(
            unit, pa.Table.from_pylist(keys, VECTOR_KEYS), data
        )
        resolved += [key | {"model_id": model_id, "unit_id": unit} for key in keys]
    for bucket in range(BUCKETS):
        chosen = [row for row in resolved if bucket_of(row["digest"], BUCKETS) == bucket]
        write_bucket(
            context.store, f"{context.prefix('embed')}/vectors", bucket, pa.Table.from_pylist(chosen, RESOLVED_VECTORS)
        )


def _model(context: RunContext, model_id: str, space_id: str) -> None:
    facts = model_json(model_id, space_id, prep_id=PREP, levels=[[0, 1, 2], [0, 1, 2, 3]], leaf=LEAF)
    context.store.create_json(f"models/{model_id}/model.json", facts)


def _curves(context: RunContext, model_id: str) -> None:
    rows = [{"step": n, "loss": 2 / (n + 1), "top1.category_1": n / 10, "images_a_second": 500} for n in range(8)]
    context.store.create(f"models/{model_id}/curves.jsonl", "\n".join(json.dumps(row) for row in rows).encode())


def _index(context: RunContext, fake: Fake, model_id: str, space_id: str) -> str:
    from pipelines.neighbours.folder import IndexInput, build_index
    from pipelines.neighbours.settings import IndexConfig

    gallery = [photo for photo in fake.photos if photo.role == "main" and photo.item not in fake.hidden]
    photos = sorted({photo.digest: photo for photo in gallery}.items())
    vectors = np.stack([photo.vector for _, photo in photos]).astype(np.float16)
    items = pa.table(
        {
            "digest": pa.array([photo.digest for photo in gallery], pa.binary(32)),
            "item_id": [item_id(photo.item) for photo in gallery],
            "category": [list(LEAVES[photo.item % len(LEAVES)]) for photo in gallery],
            "slot": [photo.item % len(LEAVES) for photo in gallery],
            "image_uri": [f"{photo.role}/{photo.item}.jpg" for photo in gallery],
        }
    )
    data = IndexInput(
        space_id,
        model_id,
        np.frombuffer(b"".join(digest for digest, _ in photos), np.uint8).reshape(-1, 32),
        vectors,
        items,
        codes_of(vectors.astype(np.float32)),
    )
    index_id = f"index-{hashlib.sha256(vectors.tobytes()).hexdigest()[:8]}-{fake.price:.0f}"
    folder = Path(context.config.store.uri).parent / f"built-{context.run_id}" / index_id
    build_index(folder, data, IndexConfig(kinds=("hnsw", "binary")))
    context.store.stage_out(folder, f"indexes/{index_id}")
    return index_id


def open_run(folder: Path, run_id: str = "run-1", **sections: Any) -> RunContext:
    """Open the fake store in a folder for a run, with sections of the config replaced."""
    settings = config(folder, **sections)
    store = open_store(settings.store.uri)
    initialise(store, BUCKETS)
    return RunContext(settings, store, run_id, BUCKETS, Progress(quiet=True))


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., RunContext]:
    """Return a function that opens the fake store for a run, with sections of the config replaced."""
    return partial(open_run, tmp_path)


@pytest.fixture
def fake() -> type[Fake]:
    return Fake


def fake_serve(store: object, facts: ModelFacts, prep_id: str, places: list[tuple[str, int]]) -> QueryOutputs:
    """Stand in for the exported model: say of a prepared photo what the fake embed stage has stored of it."""
    photos = [SERVED[facts.model_id][place] for place in places]
    embeddings = np.stack([photo.vector for photo in photos])
    probabilities = np.zeros((len(photos), max(_tops(photo)[0][-3] for photo in photos) + 1), np.float32)
    for row, photo in enumerate(photos):
        probabilities[row, _tops(photo)[0][-3]] = 0.8
    return QueryOutputs(embeddings, codes_of(embeddings), probabilities)


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return the function that writes a run; the exported model is replaced by what the run's vectors say."""
    monkeypatch.setattr("pipelines.models.query_model.serve", fake_serve)
    return write_run
