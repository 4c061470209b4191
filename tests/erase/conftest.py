"""A tiny shop with a live release whose manifest has checksums, as evaluate writes them; i2 shares a photo with i7."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.releases.publish import reference
from pipelines.runs.outputs import IndexOutputs
from tests.catalogue.shop import rows_of
from tests.trace.shop import MODEL, TracedShop

ERASED, SHARING = "i2", "i7"
OTHERS = [f"i{n}" for n in range(9) if f"i{n}" != ERASED]


@pytest.fixture(scope="session")
def built(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = TracedShop(tmp_path_factory.mktemp("erase") / "shop")
    columns = {"item_id": "sku", "photos": ["image", "more"], "category": "path", "title": "name"}
    rows = [row | {"more": ""} for row in rows_of(9)]
    rows[2]["more"] = rows[7]["more"] = "both.jpg"
    shop.write_csv(rows)
    shop.write_photos([*(row["image"] for row in rows), "both.jpg"])
    shop.write_config(index={"similar": 3}, catalogue={"max_removed_share": 1.0, "columns": columns})
    shop.add_model(tiny_model)
    shop.take("first")
    shop.promote("first", "r1")
    add_references(shop, "first", "r1")
    return shop.root


def add_references(shop: TracedShop, run_id: str, release_id: str) -> None:
    """Let a release's manifest name all objects with their checksums."""
    name = f"releases/{release_id}/manifest.json"
    manifest, index_id = shop.store.read_json(name), shop.context(run_id).outputs(IndexOutputs).index_id
    manifest["index"] = reference(shop.store, f"indexes/{index_id}", index_id=index_id)
    manifest["model"] = reference(shop.store, f"models/{MODEL}", model_id=MODEL, space_id=MODEL)
    shop.store.put(name, json.dumps(manifest).encode())


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> TracedShop:
    """A copy of that shop, to change."""
    return TracedShop(Path(shutil.copytree(built, tmp_path / "shop")))
