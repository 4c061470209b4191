"""Stores to collect garbage in: what runs and releases leave there."""

import json
import time
from dataclasses import replace

import pyarrow as pa

from pipelines.runs.owner import Owner
from pipelines.store import Log, Store, UnitTable

DAY_S = 24 * 3600.0


def tomorrow(days: float = 2.0) -> float:
    """Return a `now` at which everything that the test wrote is old."""
    return time.time() + days * DAY_S


def add_unit(store: Store, prefix: str, unit_id: str) -> None:
    keys = pa.table({"key": ["k"], "code": [""], "row": pa.array([0], pa.int32())})
    UnitTable(store, prefix).commit(unit_id, keys, pa.table({"value": [1]}))


def add_run(store: Store, name: str, prep_id: str = "8x8-q95-v1", **release: object) -> None:
    """Put everything into the store that one run of all stages leaves there."""
    for bucket in range(2):
        store.create(f"catalogue/c-{name}/items/{bucket:05}.parquet", b"items")
        store.create(f"runs/{name}/preprocess/photos/{bucket:05}.parquet", b"photos")
    store.create(f"examples/{name}/Split-train/0.gz", b"examples")
    store.create_json(f"models/m-{name}/model.json", {"model_id": f"m-{name}", "prep_id": prep_id})
    store.create(f"models/m-{name}/saved_model/saved_model.pb", b"graph")
    store.create_json(f"models/by-key/key-{name}.json", {"model_id": f"m-{name}"})
    add_unit(store, f"embeddings/m-{name}/m-{name}", "00000000000000aa")
    store.create(f"indexes/i-{name}/index.json", b"{}")
    store.create(f"indexes/i-{name}/vectors.npy", b"vectors")
    if not UnitTable(store, f"images/{prep_id}").has("00000000000000bb"):
        add_unit(store, f"images/{prep_id}", "00000000000000bb")
    identities = {"model": f"m-{name}", "index": f"i-{name}", "catalogue_id": f"c-{name}"}
    manifest = {"release_id": f"r-{name}", "run_id": name, "blessed": True, "positions": {}, **identities, **release}
    store.create_json(f"releases/r-{name}/manifest.json", manifest)
    store.create(f"releases/r-{name}/report.html", b"<html>")
    outputs = {
        "catalogue": {"catalogue_id": f"c-{name}"}, "preprocess": {"prep_id": prep_id},
        "train": {"model_id": f"m-{name}", "space_id": f"m-{name}"}, "embed": {"space_id": f"m-{name}"},
        "index": {"index_id": f"i-{name}"}, "evaluate": {"release_id": f"r-{name}"}, "promote": {},
    }  # fmt: skip
    for stage, values in outputs.items():
        store.create_json(f"runs/{name}/{stage}/manifest.json", {"stage": stage, "outputs": values})


def promote(store: Store, *names: str) -> None:
    log = Log(store, "live")
    for name in names:
        number, _ = log.head()
        log.append(number + 1, {"release_id": f"r-{name}", "action": "promote", "run_id": name, "positions": {}})


def add_permanent(store: Store) -> list[str]:
    before = set(names(store))
    for name in ("format.json", "taxonomy/1.json", "sources/00000000000000cc-000000000000.parquet"):
        store.create(name, b"{}")
    add_unit(store, "splits", "00000000000000dd")
    return sorted(set(names(store)) - before)


def names(store: Store, prefix: str = "") -> list[str]:
    return sorted(entry.name for entry in store.list(prefix))


def of_run(all_names: list[str], run: str) -> list[str]:
    marks = (f"c-{run}/", f"runs/{run}/", f"examples/{run}/", f"m-{run}/", f"key-{run}.json", f"i-{run}/", f"r-{run}/")
    return [name for name in all_names if any(mark in name for mark in marks)]


def lease(now: float, **changes: object) -> bytes:
    held = replace(Owner.new(), namespace="pid:[1]").as_dict() | {"since": now, "heartbeat": now, **changes}
    return json.dumps(held).encode()
