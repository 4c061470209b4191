"""What a model learned that an item's category and attributes are worth in a ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Weights:
    """What an item's category and its attributes weigh beside a cosine's 1."""

    category: float
    attributes: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Mapping[str, Any] | None) -> Weights | None:
        """Return the weights that model.json or a manifest names, None for none."""
        if value is None:
            return None
        attributes = {str(name): float(weight) for name, weight in value["attributes"].items()}
        return cls(float(value["category"]), attributes)
