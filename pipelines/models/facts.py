"""What `model.json` says of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipelines.errors import StageError
from pipelines.models.weights import Weights
from pipelines.store import Store
from pipelines.tables.absences import Retired
from trainer.config import LEAF_OUTPUT
from transforms.photo import PrepSpec

Slots = tuple[tuple[int, ...], ...]

UPDATE = "run `visual-search run`, which trains a model with a leaf head, embeds and indexes anew"


@dataclass(frozen=True)
class LeafFacts:
    """What `model.json` says of the leaf head: the signature's `output`, and the permanent slot of each column.

    `trained` are those that had photos enough to be learned. The best categories whose probabilities sum to
    `category_mass` hold the right one for 99 % of photos; None where nothing was calibrated. `retired` are those that
    no item has had for long, by the catalogue at hand: they are never named.
    """

    output: str
    slots: tuple[int, ...]
    trained: tuple[int, ...]
    category_mass: float | None
    retired: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ModelFacts:
    """What `model.json` says of a model.

    `leaf` is its leaf head; `levels` holds the permanent slot of each output column, a taxonomy level; `trained` those
    slots that had photos enough to be learned; `attributes` the values of each attribute that has a head, a column
    each. `dim` is the embedding's, `bits` the hash's; photos are prepared as `prep_id` says. `weights` of the ranking
    are None where none were learned.
    """

    model_id: str
    space_id: str
    prep_id: str
    height: int
    width: int
    dim: int
    bits: int
    leaf: LeafFacts
    levels: Slots
    trained: Slots
    attributes: Mapping[str, tuple[str, ...]]
    metrics: Mapping[str, Any]
    weights: Weights | None = None

    @property
    def spec(self) -> PrepSpec:
        """How photos are prepared."""
        return PrepSpec.from_prep_id(self.prep_id)

    @property
    def knows_leaves(self) -> bool:
        """Tell whether it has a leaf head; an older model answers with its deepest level, and is for search alone."""
        return self.leaf.output == LEAF_OUTPUT

    def without(self, retired: Retired) -> ModelFacts:
        """Return the facts without the categories that no item has had for long, in all that the model may name."""
        gone = retired.leaves if self.knows_leaves else retired.of_level(len(self.levels) - 1)
        trained = tuple(slot for slot in self.leaf.trained if slot not in gone)
        levels = tuple(
            tuple(slot for slot in slots if slot not in retired.of_level(level))
            for level, slots in enumerate(self.trained)
        )
        return replace(self, leaf=replace(self.leaf, trained=trained, retired=gone), trained=levels)

    def check_leaves(self) -> None:
        """Raise StageError when the model has no leaf head: nothing new is made with it."""
        if not self.knows_leaves:
            raise StageError(
                f"model {self.model_id} was made before a category at any depth had a slot of its own: {UPDATE}"
            )


def vector_tables(store: Store, space_id: str) -> list[str]:
    """Return the unit tables of a space, one a model."""
    return [f"embeddings/{space_id}/{model_id}" for model_id in store.folders(f"embeddings/{space_id}")]


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
        metrics, weights = value.get("metrics") or {}, Weights.of_json(value.get("ranking"))
        return ModelFacts(*names, *sizes, _leaf(value, *slots), *slots, attributes, metrics, weights)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StageError(f"{store.uri}/{name} cannot be used ({error}); export the model again") from error


def _leaf(value: Mapping[str, Any], levels: Slots, trained: Slots) -> LeafFacts:
    """Return the leaf head; of a model that has none, its deepest level, by which its index is cut."""
    if "leaf" in value:
        leaf = value["leaf"]
        (slots, learned) = _slots([leaf["slots"], leaf["trained"]])
        return LeafFacts(LEAF_OUTPUT, slots, learned, float(leaf["category_mass"]))
    if not levels:
        return LeafFacts("", (), (), None)
    return LeafFacts(f"category_probabilities_{len(levels) - 1}", levels[-1], trained[-1], None)


def _slots(levels: Iterable[Iterable[Any]]) -> Slots:
    return tuple(tuple(int(slot) for slot in level) for level in levels)
