from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.evaluate.model import Slots, read_curves, slots_of
from pipelines.models.facts import read_facts
from pipelines.store.folder import FolderStore
from tests.models.model_json import model_json


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def add_model(store: FolderStore, levels: list[list[int]]) -> None:
    store.create_json("models/m/model.json", model_json("m", levels=levels))


def test_curves_are_columns_of_more_than_one_point(store: FolderStore) -> None:
    assert read_curves(store, "m") == {}
    rows = [{"step": 10, "loss": 2, "note": "x", "late": 1}, {"step": 20, "loss": 1}]
    store.create("models/m/curves.jsonl", ("\n".join(json.dumps(row) for row in rows) + "\n").encode())
    assert read_curves(store, "m") == {"loss": [(10.0, 2.0), (20.0, 1.0)]}


def test_slots_are_cut_to_the_models_levels(store: FolderStore) -> None:
    store.create_json(
        "taxonomy/00000001.json", {"leaves": {"a > b": 0}, "levels": [{"a": 0}, {"a > b": 0}], "attributes": {}}
    )
    add_model(store, [[0, 2]])
    slots = slots_of(store, read_facts(store, "m"))
    assert slots == Slots({"a > b": 0}, [{"a": 0}])
    assert (slots.leaf(["a", "b"]), slots.leaf(["a"])) == (0, -1)


def test_levels_that_the_taxonomy_lacks_are_empty(store: FolderStore) -> None:
    add_model(store, [[0], [0]])
    assert slots_of(store, read_facts(store, "m")).levels == [{}, {}]
