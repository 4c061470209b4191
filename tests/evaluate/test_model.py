from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.evaluate.model import read_model, slots_by_level
from pipelines.stage import StageError
from pipelines.store import NotFoundError
from pipelines.store.folder import FolderStore


def store_with(tmp_path: Path, **facts: Any) -> FolderStore:
    store = FolderStore(tmp_path)
    store.create_json(
        "models/m/model.json", {"model_id": "m", "space_id": "s", "prep_id": "p", "levels": [[0, 2]]} | facts
    )
    return store


def test_facts_are_read(tmp_path: Path) -> None:
    model = read_model(store_with(tmp_path), "m")
    assert (model.space_id, model.prep_id, model.learned, model.curves) == ("s", "p", (frozenset({0, 2}),), {})


def test_curves_are_columns_of_more_than_one_point(tmp_path: Path) -> None:
    store = store_with(tmp_path)
    rows = [{"step": 10, "loss": 2, "note": "x", "late": 1}, {"step": 20, "loss": 1}]
    store.create("models/m/curves.jsonl", ("\n".join(json.dumps(row) for row in rows) + "\n").encode())
    assert read_model(store, "m").curves == {"loss": [(10.0, 2.0), (20.0, 1.0)]}


def test_a_model_without_levels_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"models/m/model\.json cannot be used .*export the model again"):
        read_model(store_with(tmp_path, levels=5), "m")
    with pytest.raises(NotFoundError, match="models/gone"):
        read_model(FolderStore(tmp_path), "gone")


def test_slots_are_cut_to_the_models_levels(tmp_path: Path) -> None:
    store = store_with(tmp_path)
    store.create_json("taxonomy/00000001.json", {"levels": [{"a": 0}, {"a > b": 0}], "attributes": {}})
    assert slots_by_level(store, read_model(store, "m")) == [{"a": 0}]
    other = store_with(tmp_path / "deep", levels=[[0], [0]])
    assert slots_by_level(other, read_model(other, "m")) == [{}, {}]
