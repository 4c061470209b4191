"""What a release's report says of its model: its learning curves, and its categories by their names."""

from __future__ import annotations

import json

from pipelines.models.facts import ModelFacts
from pipelines.store import NotFoundError, Store
from pipelines.tables.taxonomy import read_taxonomy

Curve = list[tuple[float, float]]

CURVES = "curves.jsonl"


def slots_by_level(store: Store, model: ModelFacts) -> list[dict[str, int]]:
    """Return the slot of every category value, for the levels that the model has."""
    levels: list[dict[str, int]] = read_taxonomy(store)["levels"]
    return (levels + [{} for _ in model.levels])[: len(model.levels)]


def read_curves(store: Store, model_id: str) -> dict[str, Curve]:
    """Return a model's learning curves by name, [(step, value)], from `curves.jsonl` beside it, if it is there."""
    try:
        lines = store.read(f"models/{model_id}/{CURVES}").decode().splitlines()
    except NotFoundError:
        return {}
    curves: dict[str, Curve] = {}
    for row in (json.loads(line) for line in lines if line.strip()):
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                curves.setdefault(name, []).append((float(row["step"]), float(value)))
    return {name: curve for name, curve in curves.items() if len(curve) > 1}
