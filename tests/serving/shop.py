"""A tiny shop with releases that differ, made without the stages that would make them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.config import Config, load_config
from pipelines.models.facts import read_facts
from pipelines.models.query_model import opened
from pipelines.neighbours.folder import IndexInput, build_index
from pipelines.neighbours.settings import IndexConfig
from pipelines.releases.history import append, make_entry, read_history
from pipelines.releases.publish import reference
from pipelines.releases.release import read_release
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, UnitTable, initialise, open_store
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS, RESOLVED_PHOTOS
from tests.catalogue.shop import jpeg
from tests.embed.world import CODE_BYTES, DIM, LEAVES, LEVELS
from tests.models.model_json import model_json
from transforms.image import prepare
from transforms.photo import PrepSpec

MODEL, HEIGHT, WIDTH, BUCKETS = "m1", 24, 16, 2
SPEC = PrepSpec(HEIGHT, WIDTH)
CONFIG = """
recipe = "ebay"
[store]
uri = "store"
[catalogue]
snapshot = "feed.csv"
[catalogue.columns]
item_id = "sku"
photos = "image"
category = "path"
[preprocess]
height = 24
width = 16
[serving]
poll_s = 0.1
drain_s = 0
"""


@dataclass(frozen=True)
class ServedShop:
    """A shop in a folder. Photo n is of item n; every item has one."""

    root: Path
    uri: str = ""

    @property
    def config_path(self) -> Path:
        return self.root / "shop.toml"

    @property
    def store(self) -> Store:
        return open_store(self.uri or str(self.root / "store"))

    def config(self, **serving: Any) -> Config:
        config = load_config(self.config_path)
        quick = {"poll_s": 0.05, **serving}
        store = config.store.model_copy(update={"uri": self.store.uri})
        section = config.serving.model_copy(update=quick)
        return config.model_copy(update={"serving": section, "store": store})

    def copy(self, root: Path) -> ServedShop:
        """Return the same shop in another folder, which may be changed."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return ServedShop(root)

    def photo(self, number: int) -> bytes:
        return jpeg(number)

    def digest(self, number: int) -> bytes:
        return hashlib.sha256(self.photo(number)).digest()

    def add_model(self, exported: Path, model_id: str = MODEL, **changes: Any) -> None:
        self.store.stage_out(exported, f"models/{model_id}/saved_model")
        sizes = {"prep_id": SPEC.prep_id, "height": HEIGHT, "width": WIDTH, "dim": DIM, "bits": 8 * CODE_BYTES}
        leaf = {"slots": LEAVES, "trained": LEAVES, "category_mass": 0.95}
        self.store.create_json(
            f"models/{model_id}/model.json", model_json(model_id, levels=LEVELS, leaf=leaf, **sizes) | changes
        )

    def add_photos(self, run_id: str, numbers: Sequence[int]) -> None:
        """Leave behind what preprocess does of photos."""
        digests, photos = [self.digest(n) for n in numbers], [prepare(self.photo(n), SPEC) for n in numbers]
        hashes, rows = [photo.phash for photo in photos], list(range(len(photos)))
        keys = pa.table([digests, [""] * len(photos), rows, hashes], schema=IMAGE_KEYS)
        sizes = [[photo.width for photo in photos], [photo.height for photo in photos]]
        data = pa.table([digests, [photo.jpeg for photo in photos], *sizes, hashes], schema=IMAGE_DATA)
        UnitTable(self.store, f"images/{SPEC.prep_id}").commit(f"unit-{run_id}", keys, data)
        folder = f"runs/{run_id}/preprocess/photos"
        for bucket in range(BUCKETS):
            own = [
                {
                    "item_id": f"i{n}",
                    "image_uri": f"p{n}.jpg",
                    "role": "main",
                    "position": 0,
                    "digest": digest,
                    "code": "",
                }
                | {"image_unit": f"unit-{run_id}", "image_row": row}
                for row, (n, digest) in enumerate(zip(numbers, digests, strict=True))
                if bucket_of(f"i{n}", BUCKETS) == bucket
            ]
            write_bucket(self.store, folder, bucket, pa.Table.from_pylist(own, RESOLVED_PHOTOS))
        outputs = PreprocessOutputs(SPEC.prep_id, "", folder, len(photos))
        self.store.create_json(f"runs/{run_id}/preprocess/manifest.json", {"outputs": outputs.as_json()})

    def add_index(self, index_id: str, numbers: Sequence[int], prefix: str = "i", model_id: str = MODEL) -> None:
        """Build an index of the items of photos; their ids begin with `prefix`."""
        with opened(self.store, read_facts(self.store, model_id)) as model:
            outputs = model([prepare(self.photo(n), SPEC).jpeg for n in numbers])
        count = len(numbers)
        items = pa.table(
            {
                "digest": pa.array([self.digest(n) for n in numbers], pa.binary(32)),
                "item_id": [f"{prefix}{n}" for n in numbers],
                "group_id": pa.nulls(count, pa.string()),
                "category": [["Shoes", ("Boots", "Sandals")[n % 2]] for n in numbers],
                "slot": pa.array([LEAVES[n % 2] for n in numbers], pa.int64()),
                "image_uri": [f"p{n}.jpg" for n in numbers],
                "title": [f"Item {n}" for n in numbers],
                "price": pa.array([10.0 + n for n in numbers], pa.float64()),
                "currency": ["EUR"] * count,
                "availability": [("in_stock", "out_of_stock")[n % 3 == 2] for n in numbers],
                "attributes": pa.array(
                    [[("colour", ("red", "blue")[n % 2])] for n in numbers], pa.map_(pa.string(), pa.string())
                ),
            }
        )
        rows = np.frombuffer(b"".join(self.digest(n) for n in numbers), np.uint8).reshape(-1, 32)
        data = IndexInput(model_id, model_id, rows, outputs.embeddings.astype(np.float16), items, outputs.hashes)
        folder = self.root / f"index-{index_id}"
        build_index(folder, data, IndexConfig(kinds=("binary",), attributes=("colour",)))
        self.store.stage_out(folder, f"indexes/{index_id}")
        shutil.rmtree(folder)

    def add_release(self, release_id: str, index_id: str, run_id: str, model_id: str = MODEL) -> None:
        """Write a release that names its parts with checksums, as evaluate's do."""
        manifest = {
            "release_id": release_id,
            "run_id": run_id,
            "model": reference(self.store, f"models/{model_id}", model_id=model_id, space_id=model_id),
            "index": reference(self.store, f"indexes/{index_id}", index_id=index_id),
        }
        self.store.create_json(f"releases/{release_id}/manifest.json", manifest)

    def go_live(self, release_id: str, action: str = "promote") -> int:
        """Append to the live log, without the checks of a promotion; return the entry's number."""
        release, history = read_release(self.store, release_id), read_history(self.store)
        previous = history.live["release_id"] if history.live else None
        entry = make_entry(release, action, previous, run_id=release.run_id, config_digest="", reason=None)
        assert append(self.store, history, entry)
        return history.number + 1


def make_shop(root: Path, exported: Path, uri: str = "") -> ServedShop:
    """Return a shop with two releases: `first`, of i0 to i11, which is live, and `second`, of j0 to j15."""
    root.mkdir(parents=True)
    shop = ServedShop(root, uri)
    shop.config_path.write_text(CONFIG.replace('"store"', f'"{uri or "store"}"'), encoding="utf-8")
    initialise(shop.store, BUCKETS)
    shop.store.create_json(
        "taxonomy/00000001.json",
        {"leaves": {"Shoes > Boots": LEAVES[0], "Shoes > Sandals": LEAVES[1]}, "levels": [], "attributes": {}},
    )
    shop.add_model(exported)
    for run_id, release_id, count, prefix in (("run-1", "first", 12, "i"), ("run-2", "second", 16, "j")):
        shop.add_photos(run_id, range(count))
        shop.add_index(f"{release_id}-index", range(count), prefix)
        shop.add_release(release_id, f"{release_id}-index", run_id)
    shop.go_live("first")
    return shop
