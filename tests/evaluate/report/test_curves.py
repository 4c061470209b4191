from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.evaluate.report.curves import read_curves
from pipelines.store.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_curves_are_columns_of_more_than_one_point(store: FolderStore) -> None:
    assert read_curves(store, "m") == {}
    rows = [{"step": 10, "loss": 2, "note": "x", "late": 1}, {"step": 20, "loss": 1}]
    store.create("models/m/curves.jsonl", ("\n".join(json.dumps(row) for row in rows) + "\n").encode())
    assert read_curves(store, "m") == {"loss": [(10.0, 2.0), (20.0, 1.0)]}
