"""The facts that `model.json` states, for stores that tests make."""

from __future__ import annotations

from typing import Any


def model_json(model_id: str, space_id: str | None = None, **facts: Any) -> dict[str, Any]:
    """Return all facts of a model, tiny ones unless told otherwise; every level is trained unless `trained` says.

    Its leaves are those of the deepest level unless `leaf` says.
    """
    levels = facts.get("levels", [])
    leaf = {"slots": levels[-1] if levels else [], "category_mass": 0.95, "temperature": 1.0, "photos": 400}
    leaf["trained"] = facts.get("trained", levels)[-1] if levels else []
    small = {"prep_id": "8x8-q95-v1", "height": 8, "width": 8, "dim": 2, "bits": 8, "levels": levels}
    ids = {"model_id": model_id, "space_id": space_id or model_id}
    return {**ids, **small, "trained": levels, "attributes": {}, "metrics": {}, "leaf": leaf, **facts}
