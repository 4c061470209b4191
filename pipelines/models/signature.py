"""One signature of an exported model, loaded; TensorFlow is imported when that happens, not before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from pipelines.models.tensorflow import import_tensorflow, start_up_messages_kept
from pipelines.store import Store

CATEGORIES = re.compile(r"category_probabilities(?:\D*(\d+))?")


class Signature:
    """One signature of an exported model. Safe to share between threads."""

    def __init__(self, folder: Path, name: str) -> None:
        """Load it from a folder, which must stay as long as the model: TensorFlow reads assets late."""
        tf = import_tensorflow()
        self._stack = ExitStack()
        with start_up_messages_kept():
            self._model = tf.saved_model.load(str(folder))  # keeps the variables alive
        self._serve = self._model.signatures[name]
        self._input = next(iter(self._serve.structured_input_signature[1]))

    @classmethod
    def of(cls, store: Store, model_id: str, name: str) -> Signature:
        """Load it from a store; `close` gives up the local copy."""
        with ExitStack() as stack:
            signature = cls(stack.enter_context(staged(store, model_id)), name)
            signature._stack = stack.pop_all()
        return signature

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


def staged(store: Store, model_id: str) -> AbstractContextManager[Path]:
    """Return a model's SavedModel as a folder of this machine."""
    return store.stage_in(f"models/{model_id}/saved_model")


def category_outputs(names: Iterable[str]) -> list[str]:
    """Return those names that are probabilities of categories, coarsest level first."""
    found = ((CATEGORIES.fullmatch(name), name) for name in names)
    return [name for _, name in sorted((int(match[1] or 0), name) for match, name in found if match)]
