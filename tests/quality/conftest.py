"""A release of a few items, as the stages would have left it, without the stages."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, initialise
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import INDEX_ITEMS, RESOLVED_PHOTOS, SIMILAR

BUCKETS = 3


def digest_of(photo: str) -> bytes:
    return hashlib.sha256(photo.encode()).digest()


@dataclass
class World:
    """Items with a leaf each, what is similar to them (id, score), and the looks of their photos."""

    store: Store
    leaves: dict[str, str] = field(default_factory=dict)
    similar: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    looks: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    release: Any = field(default_factory=lambda: SimpleNamespace(release_id="r1", index_id="x1", run_id="r"))

    def add(self, item_id: str, leaf: str, similar: list[tuple[str, float]], *looks: tuple[str, int]) -> None:
        self.leaves[item_id], self.similar[item_id] = leaf, similar
        self.looks[item_id] = list(looks) or [(f"{item_id}.jpg", int.from_bytes(digest_of(item_id)[:8]))]

    def write(self) -> None:
        items = [
            {"item_id": one, "category": leaf.split(" > "), "title": f"the {one}", "image_uri": self.looks[one][0][0]}
            for one, leaf in self.leaves.items()
        ]
        rows = [
            {"item_id": one, "rank": rank, "similar_item_id": other, "score": score}
            for one, found in self.similar.items()
            for rank, (other, score) in enumerate(found, 1)
        ]
        photos = [
            {"item_id": one, "image_uri": uri, "role": "main", "position": n, "code": "", "digest": digest_of(uri)}
            | {"phash": look.to_bytes(8)}
            for one, looks in self.looks.items()
            for n, (uri, look) in enumerate(looks)
        ]
        tables = (("indexes/x1/items", items, INDEX_ITEMS), ("indexes/x1/similar", rows, SIMILAR))
        for folder, values, schema in (*tables, ("runs/r/preprocess/photos", photos, RESOLVED_PHOTOS)):
            for bucket in range(BUCKETS):
                own = [value for value in values if bucket_of(str(value["item_id"]), BUCKETS) == bucket]
                if own:
                    write_bucket(self.store, folder, bucket, pa.Table.from_pylist(own, schema))
        outputs = PreprocessOutputs("p", "c1", "runs/r/preprocess/photos", len(photos)).as_json()
        self.store.create_json("runs/r/preprocess/manifest.json", {"outputs": outputs})


@pytest.fixture
def world(tmp_path: Path) -> World:
    store = FolderStore(tmp_path / "store")
    initialise(store, BUCKETS)
    return World(store)
