"""What `model.json` says of a model, as far as evaluate needs it.

Owns the reading of levels and learning curves. Must not load the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.stage import StageError
from pipelines.store import Store
from pipelines.taxonomy import read_taxonomy

Curve = list[tuple[float, float]]


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
        return ModelFacts(
            value["model_id"], value["space_id"], value["prep_id"], learned, curves_of(value.get("metrics") or {})
        )
    except KeyError as error:
        raise StageError(f"{store.uri}/models/{model_id}/model.json lacks {error}; export the model again") from error


def slots_by_level(store: Store, model: ModelFacts) -> list[dict[str, int]]:
    """Return the slot of every category value, for the levels that the model has."""
    levels: list[dict[str, int]] = read_taxonomy(store)["levels"]
    return (levels + [{} for _ in model.learned])[: len(model.learned)]


def curves_of(metrics: Mapping[str, Any]) -> dict[str, Curve]:
    """Return learning curves by name from `metrics["curves"]` (or "history"): [(step, value)].

    Takes rows ([{"step": 100, "loss": 1.2}, …]) or columns ({"step": […], "loss": […]}); no curves when there are none.
    """
    found = metrics.get("curves") or metrics.get("history") or []
    rows = _as_rows(found) if isinstance(found, Mapping) else found
    curves: dict[str, Curve] = {}
    for number, row in enumerate(rows):
        at = float(row.get("step", row.get("epoch", number)))
        for name, value in row.items():
            if name not in {"step", "epoch"} and isinstance(value, int | float):
                curves.setdefault(name, []).append((at, float(value)))
    return {name: curve for name, curve in curves.items() if len(curve) > 1}


def _as_rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    length = max((len(values) for values in columns.values()), default=0)
    return [{name: values[n] for name, values in columns.items() if n < len(values)} for n in range(length)]
