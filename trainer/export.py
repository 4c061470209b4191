"""The exported model: one SavedModel in which a photo becomes embedding, hash and categories in one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from trainer.config import HASH_BITS, LEAF, LEAF_OUTPUT, TrainSpec
from transforms.tf_pixels import decode_prepared_batch

Outputs = dict[str, tf.Tensor]

OUTPUTS = {"category": "category_probabilities", "attr": "attribute_probabilities"}
"""What the probabilities of a label are called, by the kind of label."""
NOT_LEARNED = -1e9
"""The logit of a class without photos: its probability is 0, in float32 exactly."""


@dataclass(frozen=True)
class Readout:
    """How logits are read: which classes of each label were learned (bool [classes]), and the leaf's temperature."""

    learned: Mapping[str, np.ndarray]
    temperature: float

    def probabilities(self, label: str, logits: tf.Tensor) -> tf.Tensor:
        """Return the softmax float32 [batch, classes] over the learned classes, 0 for all others."""
        learned = self.learned[label]
        scaled = logits / self.temperature if label == LEAF else logits
        return tf.nn.softmax(tf.where(learned, scaled, NOT_LEARNED)) * learned.astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what names a model beside its weights."""
        named = {f"readout/{label}": learned for label, learned in self.learned.items()}
        return {**named, "readout/temperature": np.array(self.temperature)}


class ServingModel:
    """Trunk, heads and hash head behind the signatures `serve_prepared`, `serve_pixels` and `evaluate`.

    Outputs: `embedding` float32 [batch, 512], L2-normalised; `hash` uint8 [batch, 512], 4096 bits packed most
    significant first; `leaf_probabilities` float32 [batch, slots], calibrated; `category_probabilities_<level>`
    float32 [batch, slots] a taxonomy level; `attribute_probabilities_<name>` float32 [batch, slots] an attribute with a
    head. A slot that had too few photos to be learned has probability 0.
    """

    def __init__(self, trunk: keras.Model, heads: keras.Model, hash_head: keras.Model, readout: Readout) -> None:
        self.trunk, self.heads, self.hash_head, self.readout = trunk, heads, hash_head, readout

    def variables(self) -> list[tf.Variable]:
        """Return all variables: of the trunk, of the heads, of the hash head."""
        return [each.value for model in (self.trunk, self.heads, self.hash_head) for each in model.variables]

    def outputs(self, pixels: tf.Tensor) -> Outputs:
        """Return all outputs of uint8 pixels [batch, height, width, 3], from one pass through the trunk."""
        raw = raw_embeddings(self.trunk, pixels)
        unit = tf.math.l2_normalize(raw, axis=1)
        logits = self.heads(raw, training=False)
        found = {"embedding": unit, "hash": pack_bits(self.hash_head(unit, training=False) > 0.0)}
        for label, values in logits.items():
            found[output_of(label)] = self.readout.probabilities(label, values)
        return found


def raw_embeddings(trunk: keras.Model, pixels: tf.Tensor) -> tf.Tensor:
    """Return what a trunk makes of uint8 pixels [batch, height, width, 3]: float32 [batch, 512], not normalised."""
    return tf.cast(trunk(tf.cast(pixels, tf.float32), training=False), tf.float32)


def output_of(label: str) -> str:
    """Return what the probabilities of a label are called."""
    kind, _, name = label.partition("_")
    return LEAF_OUTPUT if label == LEAF else f"{OUTPUTS[kind]}_{name}"


def pack_bits(bits: tf.Tensor) -> tf.Tensor:
    """Return booleans [batch, 8 n] as uint8 [batch, n], the first bit the most significant, as in `numpy.packbits`."""
    grouped = tf.reshape(tf.cast(bits, tf.int32), [-1, tf.shape(bits)[1] // 8, 8])
    packed = tf.reduce_sum(grouped * tf.constant([128, 64, 32, 16, 8, 4, 2, 1]), axis=2)
    return tf.ensure_shape(tf.cast(packed, tf.uint8), [None, HASH_BITS // 8])


class Exported(tf.Module):
    """What is saved: variables and signatures, and nothing of Keras.

    A Keras model that is saved along has every layer of it described, which takes loaders longer than the weights do,
    and its variables are saved under two names, of which TensorFlow Serving and others in C++ restore the wrong one.
    """

    def __init__(self, variables: Sequence[tf.Variable], transform: Any, signatures: Mapping[str, Any]) -> None:
        super().__init__()
        self.weights, self.transform, self.signatures_of = list(variables), transform, dict(signatures)


def export_model(model: ServingModel, spec: TrainSpec, transform_output: str, folder: str) -> None:
    """Write the SavedModel with its signatures; `evaluate` and `transform_features` take serialised tf.Examples."""
    output = tft.TFTransformOutput(transform_output)
    transform, raw_spec = output.transform_features_layer(), output.raw_feature_spec()
    signatures = model_signatures(model, spec.height, spec.width)
    serve_pixels = signatures["serve_pixels"]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(examples: tf.Tensor) -> Outputs:
        jpegs = tf.io.parse_example(examples, {"image": tf.io.FixedLenFeature([], tf.string)})["image"]
        outputs = serve_pixels(decode_prepared_batch(jpegs, spec.height, spec.width))
        return {"probabilities": outputs[LEAF_OUTPUT]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def transform_features(examples: tf.Tensor) -> Outputs:
        return transform(tf.io.parse_example(examples, raw_spec))

    signatures |= {"evaluate": evaluate, "transform_features": transform_features}
    save_model(model, transform, signatures, folder)


def model_signatures(model: ServingModel, height: int, width: int) -> dict[str, Any]:
    """Return `serve_pixels` (uint8 [batch, height, width, 3]) and `serve_prepared` (JPEGs), of one trunk between them.

    One calls the other: traced twice, the trunk would be saved, loaded and compiled twice.
    """

    @tf.function(input_signature=[tf.TensorSpec([None, height, width, 3], tf.uint8, name="pixels")])
    def serve_pixels(pixels: tf.Tensor) -> Outputs:
        return model.outputs(pixels)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="jpegs")])
    def serve_prepared(jpegs: tf.Tensor) -> Outputs:
        return serve_pixels(decode_prepared_batch(jpegs, height, width))

    return {"serve_prepared": serve_prepared, "serve_pixels": serve_pixels}


def save_model(model: ServingModel, transform: Any, signatures: Mapping[str, Any], folder: str) -> None:
    """Write a SavedModel of signatures over a model's variables and, where they need one, a layer that transforms."""
    default = signatures["serve_prepared"]
    whole = Exported(model.variables(), transform, signatures)
    tf.saved_model.save(whole, folder, signatures={"serving_default": default, **signatures})


def save_weights(path: Path, models: Mapping[str, keras.Model]) -> None:
    """Write the weights of several models as one npz: '<model>/<variable path>' -> array; for warm starts."""
    arrays: dict[str, Any] = weights_of(models)
    with path.open("wb") as file:
        np.savez(file, **arrays)


def weights_of(models: Mapping[str, keras.Model]) -> dict[str, np.ndarray]:
    """Return the weights of several models: '<model>/<variable path>' -> array."""
    return {f"{name}/{v.path}": np.asarray(v.value) for name, model in models.items() for v in model.variables}
