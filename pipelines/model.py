"""An exported model as the store keeps it: what `model.json` says of it, and one signature of it, loaded.

Owns the names of a model's files and outputs. Imports TensorFlow when a model is loaded, not before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pipelines.quiet import import_tensorflow, start_up_messages_kept
from pipelines.stage import StageError
from pipelines.store import Store
from transforms.photo import PrepSpec

CATEGORIES = re.compile(r"category_probabilities(?:\D*(\d+))?")

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


class Signature:
    """One signature of an exported model. Safe to share between threads."""

    def __init__(self, store: Store, model_id: str, name: str) -> None:
        tf = import_tensorflow()
        self._stack = ExitStack()  # the staged copy lives as long as the model: TensorFlow reads assets late
        folder = self._stack.enter_context(store.stage_in(f"models/{model_id}/saved_model"))
        with start_up_messages_kept():
            self._model = tf.saved_model.load(str(folder))  # keeps the variables alive
        self._serve = self._model.signatures[name]
        self._input = next(iter(self._serve.structured_input_signature[1]))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The TensorSpec of every output by its name."""
        specs: Mapping[str, Any] = self._serve.structured_outputs
        return specs

    def __call__(self, values: Any) -> dict[str, Any]:
        """Return every output of one forward pass as a numpy array. Raises TensorFlow's errors."""
        import tensorflow as tf

        return {name: value.numpy() for name, value in self._serve(**{self._input: tf.constant(values)}).items()}

    def close(self) -> None:
        """Give up the local copy of the model."""
        self._stack.close()


def category_outputs(names: Iterable[str]) -> list[str]:
    """Return those names that are probabilities of categories, coarsest level first."""
    found = ((CATEGORIES.fullmatch(name), name) for name in names)
    return [name for _, name in sorted((int(match[1] or 0), name) for match, name in found if match)]
