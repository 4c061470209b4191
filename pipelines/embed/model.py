"""An exported model, loaded: prepared JPEG bytes -> pixels -> outputs.

Owns TensorFlow within the stage; imports it when a model is loaded. Must not know Beam, plans or units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.embed.outputs import Outputs, Pixels, top_categories
from pipelines.quiet import import_tensorflow, start_up_messages_kept
from pipelines.stage import StageError
from pipelines.store import Store
from transforms.pixels import decode_prepared

NORM_TOLERANCE = 0.01
CATEGORIES = re.compile(r"category_probabilities(?:\D*(\d+))?")


class InferenceError(Exception):
    """The model could not be run on a batch."""


@dataclass(frozen=True)
class ModelFacts:
    """What `model.json` says of a model, as far as embedding needs it; `levels` holds the slots of its columns."""

    model_id: str
    space_id: str
    prep_id: str
    height: int
    width: int
    levels: tuple[tuple[int, ...], ...]
    metrics: Mapping[str, Any]


def read_facts(store: Store, model_id: str) -> ModelFacts:
    """Return the facts of a model. Raises NotFoundError, and StageError when one is missing."""
    name = f"models/{model_id}/model.json"
    value = store.read_json(name)
    try:
        levels = tuple(tuple(int(slot) for slot in level) for level in value["levels"])
        size = (int(value["height"]), int(value["width"]))
        names = (value["model_id"], value["space_id"], value["prep_id"])
        return ModelFacts(*names, *size, levels, value.get("metrics") or {})
    except (KeyError, TypeError, ValueError) as error:
        raise StageError(f"{store.uri}/{name} lacks {error}; export the model again") from error


class Embedder:
    """Runs one model on batches. Safe to share between threads."""

    def __init__(self, store: Store, facts: ModelFacts) -> None:
        tf = import_tensorflow()
        self.facts = facts
        self._stack = ExitStack()  # the staged copy lives as long as the model: TensorFlow reads assets late
        folder = self._stack.enter_context(store.stage_in(f"models/{facts.model_id}/saved_model"))
        with start_up_messages_kept():
            self._model = tf.saved_model.load(str(folder))  # keeps the variables alive
        self._serve = self._model.signatures["serve_pixels"]
        self._input = next(iter(self._serve.structured_input_signature[1]))
        self._decode = _graph_decoder(facts.height, facts.width)
        self._failures = (tf.errors.OpError, ValueError)
        self._names = self._category_names()

    def decode(self, jpegs: Sequence[bytes]) -> tuple[Pixels, list[str]]:
        """Return the pixels uint8 `[n, height, width, 3]`, zeros where a photo is bad, and a code a photo."""
        if jpegs:
            try:
                return self._decode(jpegs), [""] * len(jpegs)
            except self._failures:
                pass  # one bad photo spoils a batch: look at each
        pixels = np.zeros((len(jpegs), self.facts.height, self.facts.width, 3), np.uint8)
        codes = []
        for row, jpeg in enumerate(jpegs):
            try:
                pixels[row] = self._decode_one(jpeg)
                codes.append("")
            except (ValueError, OSError, SyntaxError):
                codes.append("bad_image")
        return pixels, codes

    def __call__(self, pixels: Pixels) -> Outputs:
        """Return the outputs of uint8 `[n, height, width, 3]`. Raises InferenceError."""
        import tensorflow as tf

        try:
            raw = self._serve(**{self._input: tf.constant(pixels)})
            return self._outputs({name: value.numpy() for name, value in raw.items()})
        except self._failures as error:
            raise InferenceError(_reason(error)) from error

    def _decode_one(self, jpeg: bytes) -> Pixels:
        pixels = decode_prepared(jpeg)
        if pixels.shape != (self.facts.height, self.facts.width, 3):
            raise ValueError(f"a photo of shape {pixels.shape} was prepared for another model")
        return pixels

    def _outputs(self, raw: Mapping[str, Any]) -> Outputs:
        embedding = raw["embedding"].astype(np.float32, copy=False)
        norms = np.linalg.norm(embedding, axis=1)
        wrong = np.flatnonzero(np.isfinite(norms) & (np.abs(norms - 1) > NORM_TOLERANCE))
        if len(wrong):
            raise StageError(
                f"model {self.facts.model_id} gives an embedding of norm {norms[wrong[0]]:.4g}, expected 1; "
                "export a model whose embedding is L2-normalised"
            )
        tops = [
            top_categories(raw[name], np.array(slots, np.int32))
            for name, slots in zip(self._names, self.facts.levels, strict=True)
        ]
        none = np.zeros((len(embedding), 0), np.float32)
        slots = np.concatenate([none.astype(np.int32), *(slot for slot, _ in tops)], axis=1)
        return Outputs(embedding, raw["hash"], slots, np.concatenate([none, *(share for _, share in tops)], axis=1))

    def _category_names(self) -> list[str]:
        shapes = self._serve.structured_outputs
        found = {name: CATEGORIES.fullmatch(name) for name in shapes}
        names = sorted((name for name in found if found[name]), key=lambda name: int((found[name] or [0, 0])[1] or 0))
        widths = [shapes[name].shape[-1] for name in names]
        told = [len(level) for level in self.facts.levels]
        if len(widths) != len(told) or any(w not in (None, t) for w, t in zip(widths, told, strict=True)):
            raise StageError(
                f"model {self.facts.model_id} has category outputs of {widths} columns, its model.json names {told} "
                "slots; export it again"
            )
        return names


def _reason(error: Exception) -> str:
    """Return the line of TensorFlow's message that says what failed."""
    text = str(error).partition("<stack traces unavailable>")
    lines = (text[2] or text[0]).strip().splitlines()
    return lines[0][:500] if lines else type(error).__name__


def _graph_decoder(height: int, width: int) -> Callable[[Sequence[bytes]], Pixels]:
    import tensorflow as tf

    from transforms.tf_pixels import decode_prepared_batch

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def decode(jpegs: tf.Tensor) -> tf.Tensor:
        with tf.device("CPU"):
            return decode_prepared_batch(jpegs, height, width)

    return lambda jpegs: decode(tf.constant(list(jpegs))).numpy()
