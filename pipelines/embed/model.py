"""An exported model, loaded: prepared JPEG bytes -> pixels -> outputs.

Owns TensorFlow within the stage; imports it when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.embed.outputs import Outputs, Pixels, top_categories
from pipelines.errors import StageError
from pipelines.models.facts import ModelFacts
from pipelines.models.signature import Signature, category_outputs
from pipelines.store import Store
from transforms.pixels import decode_prepared

NORM_TOLERANCE = 0.01


class InferenceError(Exception):
    """The model could not be run on a batch."""


class Embedder:
    """Runs one model on batches. Safe to share between threads."""

    def __init__(self, store: Store, facts: ModelFacts) -> None:
        self.facts = facts
        self._serve = Signature.of(store, facts.model_id, "serve_pixels")
        self._decode = _graph_decoder(facts.height, facts.width)
        self._failures = _failures()
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
        try:
            return self._outputs(self._serve(pixels))
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
        tops = [top_categories(raw[name], slots) for name, slots in zip(self._names, self._told(), strict=True)]
        if not self.facts.leaf.slots:  # an imported model need not name leaves
            tops.append(top_categories(np.zeros((len(embedding), 0), np.float32), np.zeros(0, np.int32)))
        none = np.zeros((len(embedding), 0), np.float32)
        slots = np.concatenate([none.astype(np.int32), *(slot for slot, _ in tops)], axis=1)
        return Outputs(embedding, raw["hash"], slots, np.concatenate([none, *(share for _, share in tops)], axis=1))

    def _told(self) -> list[npt.NDArray[np.int32]]:
        """Return the slots of the columns of every level and of the leaves, in the order in which they are kept."""
        leaf = [self.facts.leaf.slots] if self.facts.leaf.slots else []
        return [np.array(slots, np.int32) for slots in (*self.facts.levels, *leaf)]

    def _category_names(self) -> list[str]:
        shapes = self._serve.outputs
        names = [*category_outputs(shapes), *(name for name in shapes if name == self.facts.leaf.output)]
        widths = [shapes[name].shape[-1] for name in names]
        told = [len(slots) for slots in self._told()]
        if len(widths) != len(told) or any(w not in (None, t) for w, t in zip(widths, told, strict=True)):
            raise StageError(
                f"model {self.facts.model_id} has category outputs of {widths} columns, its model.json names {told} "
                "slots; export it again"
            )
        return names


def _failures() -> tuple[type[Exception], ...]:
    import tensorflow as tf

    return (tf.errors.OpError, ValueError)


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
