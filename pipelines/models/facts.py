"""What `model.json` says of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import StageError
from pipelines.store import Store
from transforms.photo import PrepSpec

Slots = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ModelFacts:
    """What `model.json` says of a model.

    `levels` holds the permanent slot of each output column, a taxonomy level; `trained` those slots that had photos
    enough to be learned; `attributes` the values of each attribute that has a head, a column each. `dim` is the
    embedding's, `bits` the hash's; photos are prepared as `prep_id` says.
    """

    model_id: str
    space_id: str
    prep_id: str
    height: int
    width: int
    dim: int
    bits: int
    levels: Slots
    trained: Slots
    attributes: Mapping[str, tuple[str, ...]]
    metrics: Mapping[str, Any]

    @property
    def spec(self) -> PrepSpec:
        """How photos are prepared."""
        return PrepSpec.from_prep_id(self.prep_id)


def read_facts(store: Store, model_id: str) -> ModelFacts:
    """Return the facts of a model. Raises NotFoundError, and StageError when one is missing or wrong."""
    name = f"models/{model_id}/model.json"
    value = store.read_json(name)
    try:
        names = (str(value["model_id"]), str(value["space_id"]), str(value["prep_id"]))
        PrepSpec.from_prep_id(names[2])
        sizes = (int(value["height"]), int(value["width"]), int(value["dim"]), int(value["bits"]))
        slots = (_slots(value["levels"]), _slots(value["trained"]))
        attributes = {name: tuple(map(str, values)) for name, values in value["attributes"].items()}
        return ModelFacts(*names, *sizes, *slots, attributes, value.get("metrics") or {})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StageError(f"{store.uri}/{name} cannot be used ({error}); export the model again") from error


def _slots(levels: Iterable[Iterable[Any]]) -> Slots:
    return tuple(tuple(int(slot) for slot in level) for level in levels)
