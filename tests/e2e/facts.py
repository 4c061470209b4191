"""What a store holds, in forms that two stores can be compared by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.store import Store, UnitTable
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, PHOTOS, RESOLVED_PHOTOS

STEPS = {
    "catalogue": ["merge"],
    "preprocess": ["plan", "units", "resolve"],
    "train": ["examples"],
    "embed": ["plan", "units", "resolve"],
    "index": ["gather", "assemble", "complete"],
    "evaluate": ["sample", "queries", "look-up", "scan", "histograms", "drift"],
    "again": ["verify", "count"],
}
"""The Beam jobs of each stage; `again` is the name of a backfill."""
LEDGER = ("in", "ok", "skipped", "rejected")


def manifest(store: Store, stage: str, run_id: str = "first") -> dict[str, Any]:
    """Return a stage's manifest."""
    value: dict[str, Any] = store.read_json(f"runs/{run_id}/{stage}/manifest.json")
    return value


def ledger(store: Store, stage: str) -> dict[str, Any]:
    """Return where the records of a stage went, with the reason codes."""
    found = manifest(store, stage)
    return {name: found["counts"][name] for name in LEDGER} | {"rejects": found["rejects"]}


def catalogue(store: Store) -> list[pa.Table]:
    """Return the items and photos of the run's catalogue, in an order of their own."""
    folder = f"catalogue/{manifest(store, 'catalogue')['outputs']['catalogue_id']}"
    items = _all(store, f"{folder}/items", ITEMS).sort_by("item_id")
    photos = _all(store, f"{folder}/photos", PHOTOS)
    return [items, photos.sort_by([("item_id", "ascending"), ("position", "ascending"), ("image_uri", "ascending")])]


def photos(store: Store) -> pa.Table:
    """Return what became of every photo."""
    found = _all(store, manifest(store, "preprocess")["outputs"]["photos"], RESOLVED_PHOTOS)
    return found.sort_by([("item_id", "ascending"), ("position", "ascending"), ("image_uri", "ascending")])


def images(store: Store) -> dict[bytes, bytes]:
    """Return the prepared photos by digest. Asserts that one that was prepared twice, by two names, is the same."""
    table = UnitTable(store, f"images/{manifest(store, 'preprocess')['outputs']['prep_id']}")
    found: dict[bytes, bytes] = {}
    for unit_id in table.unit_ids():
        keys = table.read_keys(unit_id)
        if "" in keys["code"].to_pylist():  # else all were rejected, and there is no data
            rows = table.read_rows(unit_id, None, ["digest", "image"])
            for digest, image in zip(rows["digest"].to_pylist(), rows["image"].to_pylist(), strict=True):
                assert found.setdefault(digest, image) == image
    return found


def vectors(store: Store) -> dict[bytes, np.ndarray]:
    """Return the embeddings of the run's model by digest, float32 `[512]`. Asserts that none is there twice."""
    outputs = manifest(store, "embed")["outputs"]
    table = UnitTable(store, f"embeddings/{outputs['space_id']}/{outputs['model_id']}")
    found: dict[bytes, np.ndarray] = {}
    for unit_id in table.unit_ids():
        rows = table.read_rows(unit_id, None, ["digest", "embedding"])
        for digest, vector in zip(rows["digest"].to_pylist(), rows["embedding"].to_pylist(), strict=True):
            assert digest not in found
            found[digest] = np.frombuffer(vector, "<f2").astype(np.float32)
    return found


def _all(store: Store, folder: str, schema: pa.Schema) -> pa.Table:
    buckets = range(store.read_json("format.json")["buckets"])
    return pa.concat_tables(read_bucket(store, folder, bucket, schema) for bucket in buckets)
