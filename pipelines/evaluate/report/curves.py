"""A model's learning curves, as its training wrote them."""

from __future__ import annotations

import json

from pipelines.store import NotFoundError, Store

Curve = list[tuple[float, float]]

CURVES = "curves.jsonl"


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
