"""What `model.json` says of a model, as far as evaluate needs it.

Owns the reading of levels and learning curves. Must not load the model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipelines.stage import StageError
from pipelines.store import NotFoundError, Store
from pipelines.taxonomy import read_taxonomy

Curve = list[tuple[float, float]]

CURVES = "curves.jsonl"


@dataclass(frozen=True)
class ModelFacts:
    """One model: its names, the slots that each level of categories has an output for, and its learning curves."""

    model_id: str
    space_id: str
    prep_id: str
    learned: tuple[frozenset[int], ...]
    curves: dict[str, Curve]


def read_model(store: Store, model_id: str) -> ModelFacts:
    """Return the facts of a model. Raises NotFoundError, and StageError when one is missing."""
    value = store.read_json(f"models/{model_id}/model.json")
    try:
        learned = tuple(frozenset(int(slot) for slot in level) for level in value["levels"])
        names = (value["model_id"], value["space_id"], value["prep_id"])
        return ModelFacts(*names, learned, read_curves(store, model_id))
    except (KeyError, TypeError, ValueError) as error:
        name = f"models/{model_id}/model.json"
        raise StageError(f"{store.uri}/{name} cannot be used ({error}); export the model again") from error


def slots_by_level(store: Store, model: ModelFacts) -> list[dict[str, int]]:
    """Return the slot of every category value, for the levels that the model has."""
    levels: list[dict[str, int]] = read_taxonomy(store)["levels"]
    return (levels + [{} for _ in model.learned])[: len(model.learned)]


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
