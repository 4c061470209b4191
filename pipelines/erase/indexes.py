"""Indexes without the photos: built anew under another name, to which releases lead then, before the old one goes.

No vector can be taken out of a graph, or of what was learned from all of them, so an index is built again from the
tables that its run gathered, with its own settings, on this machine.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pipelines.erase.subject import Subject, digests_of
from pipelines.erase.tables import about, read_table
from pipelines.errors import StageError
from pipelines.models.facts import read_facts
from pipelines.models.weights import Weights
from pipelines.neighbours.folder import build_index
from pipelines.neighbours.manifest import FILE, config_of
from pipelines.neighbours.row_tables import DIGESTS
from pipelines.releases.publish import reference
from pipelines.store import NotFoundError, Store
from pipelines.store.opening import read_format
from pipelines.tables.buckets import write_parquet

DESCRIPTION: Final = "index.json"
BESIDE: Final = ("items", "similar")
"""Tables beside an index, by item."""
NAMED_IN: Final = ("releases", "live", "runs")
"""Where objects of JSON name indexes."""


def rebuild_indexes(store: Store, subject: Subject) -> int:
    """Replace every index that holds one of the photos or items; return how many that were.

    Raises StageError for one that cannot be built again.
    """
    affected = [index_id for index_id in store.folders("indexes") if holds(store, index_id, subject)]
    for index_id in affected:
        successor = hashlib.sha256(f"{index_id} without {subject.name}".encode()).hexdigest()[:16]
        if store.exists(f"indexes/{index_id}/{DESCRIPTION}"):
            _rebuild(store, index_id, successor, subject)
            _lead_to(store, index_id, successor)
        for entry in list(store.list(f"indexes/{index_id}")) + list(store.list(f"pins/indexes/{index_id}")):
            store.delete(entry.name)
    return len(affected)


def holds(store: Store, index_id: str, subject: Subject) -> bool:
    """Tell whether an index has a photo or an item that goes."""
    folder = f"indexes/{index_id}"
    tables = (entry.name for table in BESIDE for entry in store.list(f"{folder}/{table}"))
    if any(about(read_table(store, name), subject).any() for name in tables):
        return True
    try:
        with store.stage_in(f"{folder}/{DIGESTS}") as path:
            stored = pa.array([row.tobytes() for row in np.load(path, mmap_mode="r")], pa.binary(32))
    except NotFoundError:
        return False
    return bool(np.isin(stored.to_pylist(), digests_of(subject).to_pylist()).any())


def _rebuild(store: Store, index_id: str, successor: str, subject: Subject) -> None:
    from pipelines.index.assembly import Assembly, publish, read_input

    facts, target = store.read_json(f"indexes/{index_id}/{DESCRIPTION}"), f"indexes/{successor}"
    if store.exists(f"{target}/{DESCRIPTION}"):
        return
    folder = f"runs/{facts['run_id']}/index"
    if not any(True for _ in store.list(f"{folder}/rows")):
        raise StageError(
            f"index {index_id} cannot be built again: run {facts['run_id']!r}, which gathered it, is gone. Promote a "
            "newer release, remove this one by `visual-search gc --grace 0`, and run erase again"
        )
    manifest = store.read_json(f"indexes/{index_id}/{FILE}")
    model, config = read_facts(store, facts["model_id"]), config_of(manifest)
    assembly = Assembly(store, folder, target, model, config, read_format(store).buckets)
    with tempfile.TemporaryDirectory(prefix="visual-search-index-") as name:
        slots = manifest["trained_slots"]
        told = {
            "trained_slots": None if slots is None else np.array(slots, np.int64),
            "category_mass": manifest["category_mass"],
            "ranking": Weights.of_json(manifest.get("ranking")),
        }
        build_index(Path(name, "index"), replace(read_input(assembly, Path(name)), **told), config)
        publish(store, Path(name, "index"), target)
    for table in BESIDE:
        for entry in store.list(f"indexes/{index_id}/{table}"):
            kept = _ranked(_without(read_table(store, entry.name), subject))
            write_parquet(store, f"{target}/{table}/{entry.name.rpartition('/')[2]}", kept)
    built = store.read_json(f"{target}/{FILE}")
    store.create_json(f"{target}/{DESCRIPTION}", facts | {n: built[n] for n in ("counts", "kinds")} | _id(successor))


def _id(index_id: str) -> dict[str, str]:
    return {"index_id": index_id}


def _without(table: pa.Table, subject: Subject) -> pa.Table:
    return table.filter(pa.array(~about(table, subject)))


def _ranked(table: pa.Table) -> pa.Table:
    """Return similar items, of which some are gone, with ranks without gaps."""
    if "rank" not in table.column_names or not len(table):
        return table
    table = table.sort_by([("item_id", "ascending"), ("rank", "ascending")])
    ids = np.array(table["item_id"].to_pylist(), object)
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    ranks = np.arange(len(ids)) - np.repeat(starts, np.diff(np.append(starts, len(ids)))) + 1
    field = table.schema.field("rank")
    return table.set_column(table.column_names.index("rank"), field, pa.array(ranks, field.type))


def _lead_to(store: Store, index_id: str, successor: str) -> None:
    """Let all that named an index name its successor; releases with the checksums of its objects."""
    for name in _json_names(store):
        text = store.read(name)
        if index_id.encode() not in text:
            continue
        value = json.loads(text.replace(index_id.encode(), successor.encode()))
        if isinstance(value, dict) and isinstance(value.get("index"), dict):
            value["index"] = reference(store, f"indexes/{successor}", **_id(successor))
        store.put(name, json.dumps(value, indent=1, sort_keys=True).encode())


def _json_names(store: Store) -> Iterator[str]:
    for prefix in NAMED_IN:
        yield from sorted(entry.name for entry in store.list(prefix) if entry.name.endswith(".json"))


def renew_models(store: Store) -> int:
    """Write today's checksums of objects of models into the manifests that name them; return how many changed."""
    known: dict[str, dict[str, Any]] = {}
    changed = 0
    for name in _json_names(store):
        if not name.endswith("/manifest.json") or not isinstance(value := store.read_json(name), dict):
            continue
        model = value.get("model")
        if not isinstance(model, dict) or "objects" not in model:
            continue
        model_id = model["model_id"]
        if model_id not in known:
            known[model_id] = reference(store, f"models/{model_id}")
        if model["objects"] != known[model_id]["objects"]:
            value["model"] = model | known[model_id]
            store.put(name, json.dumps(value, indent=1, sort_keys=True).encode())
            changed += 1
    return changed
