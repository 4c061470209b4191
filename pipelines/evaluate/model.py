"""What a release's report says of its model: its learning curves, and its categories by their names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.models.facts import ModelFacts
from pipelines.store import NotFoundError, Store
from pipelines.tables.taxonomy import leaf_value, read_taxonomy

Curve = list[tuple[float, float]]

CURVES = "curves.jsonl"


@dataclass(frozen=True)
class Slots:
    """The slot of every leaf, and of every category value of the levels that a model has."""

    leaves: dict[str, int]
    levels: list[dict[str, int]]

    def leaf(self, path: Sequence[str]) -> int:
        """Return the slot of a path's leaf, -1 for one that has none."""
        return self.leaves.get(leaf_value(path), -1)


def slots_of(store: Store, model: ModelFacts) -> Slots:
    """Return the store's slots, as far as a model's levels go."""
    taxonomy = read_taxonomy(store)
    return Slots(taxonomy["leaves"], (taxonomy["levels"] + [{} for _ in model.levels])[: len(model.levels)])


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
