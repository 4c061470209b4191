"""The exported model, as a query needs it: prepared JPEG bytes -> what the plan takes.

Owns TensorFlow in this package, and imports it when a model is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.index.outputs import QueryOutputs
from pipelines.quiet import import_tensorflow, start_up_messages_kept
from pipelines.stage import StageError
from pipelines.store import Store
from transforms.photo import PrepSpec

SIGNATURE = "serve_prepared"
CATEGORIES = re.compile(r"category_probabilities(?:\D*(\d+))?")


@dataclass(frozen=True)
class ModelFacts:
    """What `model.json` says: identity, preparation, and of every taxonomy level the slot of each output column."""

    model_id: str
    space_id: str
    spec: PrepSpec
    levels: tuple[tuple[int, ...], ...]


def read_facts(store: Store, model_id: str) -> ModelFacts:
    """Return the facts of a model. Raises NotFoundError, and StageError when one is missing or wrong."""
    name = f"models/{model_id}/model.json"
    value = store.read_json(name)
    try:
        levels = tuple(tuple(int(slot) for slot in level) for level in value["levels"])
        return ModelFacts(value["model_id"], value["space_id"], PrepSpec.from_prep_id(value["prep_id"]), levels)
    except (KeyError, TypeError, ValueError) as error:
        raise StageError(f"{store.uri}/{name} cannot be used ({error}); export the model again") from error


class QueryModel:
    """A loaded model."""

    def __init__(self, store: Store, facts: ModelFacts) -> None:
        self._facts, self._stack = facts, ExitStack()
        folder = self._stack.enter_context(store.stage_in(f"models/{facts.model_id}/saved_model"))
        tf = import_tensorflow()
        with start_up_messages_kept():
            self._model = tf.saved_model.load(str(folder))  # keeps the variables alive
        self._serve = self._model.signatures[SIGNATURE]
        self._input = next(iter(self._serve.structured_input_signature[1]))

    def __call__(self, jpegs: Sequence[bytes]) -> QueryOutputs:
        """Return one forward pass over prepared photos."""
        import tensorflow as tf

        raw = {name: value.numpy() for name, value in self._serve(**{self._input: tf.constant(list(jpegs))}).items()}
        return QueryOutputs(raw["embedding"], raw.get("hash"), self._probabilities(raw))

    def close(self) -> None:
        """Give up the local copy of the model."""
        self._stack.close()

    def _probabilities(self, raw: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32] | None:
        """Return float32 `[n, slots]` of the finest level, each column moved to its permanent slot."""
        names = sorted((int(found[1] or 0), name) for name in raw if (found := CATEGORIES.fullmatch(name)))
        if not names or not self._facts.levels:
            return None
        return by_slot(raw[names[-1][1]], self._facts.levels[-1])


def by_slot(probabilities: npt.NDArray[Any], slots: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return `[n, 1 + highest slot]` float32 with column i of `[n, len(slots)]` at slots[i], 0 elsewhere."""
    if probabilities.shape[1] != len(slots):
        raise StageError(
            f"the model has {probabilities.shape[1]} categories of the finest level, its model.json names {len(slots)} "
            "slots; export it again"
        )
    dense = np.zeros((len(probabilities), 1 + max(slots)), np.float32)
    dense[:, list(slots)] = probabilities
    return dense
