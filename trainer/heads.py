"""Heads: a softmax of leaves, one a taxonomy level and attribute, on the shared embedding, and their common loss."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf

from trainer.config import EMBEDDING_DIM, LEAF, levels_of

SCALE = 16.0
"""The inverse temperature of the softmax over cosines."""


@keras.saving.register_keras_serializable("visual_search")
class CosineClassifier(keras.layers.Layer):
    """Logits float32 [batch, classes]: SCALE times the cosine of an embedding [batch, dim] and each class's direction.

    What is trained is what search compares by, so that photos of a class come near each other whatever they were taken
    with (normalised softmax: Wang et al. 2017, arXiv 1704.06369; Zhai and Wu 2019, arXiv 1811.12649).
    """

    def __init__(self, classes: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create the directions of the classes."""
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], self.classes), initializer="random_normal")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return the logits."""
        return SCALE * tf.matmul(tf.math.l2_normalize(x, axis=1), tf.math.l2_normalize(self.kernel, axis=0))

    def get_config(self) -> dict[str, object]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "classes": self.classes}


def build_heads(slots: Mapping[str, int]) -> keras.Model:
    """Return the model embedding [batch, 512] -> {label: logits float32 [batch, number of slots]}."""
    embedding = keras.Input((EMBEDDING_DIM,), name="embedding")
    outputs = {label: CosineClassifier(size, dtype="float32", name=label)(embedding) for label, size in slots.items()}
    return keras.Model(embedding, outputs, name="heads")


def loss_weights(labels: list[str], attribute_weight: float) -> dict[str, float]:
    """Return each label's weight: 1 for the leaf, `attribute_weight` for attributes; levels help to tell leaves apart.

    The deepest level holds leaves alone, which have a head already: .1; the next one .5, those above it .3.
    """
    by_depth = (0.1, 0.5, 0.3)
    weights = {label: by_depth[min(up, 2)] for up, label in enumerate(reversed(levels_of(labels)))} | {LEAF: 1.0}
    return {label: weights.get(label, attribute_weight) for label in labels}


def masked_cross_entropy(logits: tf.Tensor, slots: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Return the mean softmax cross-entropy of the examples whose slot is not -1; 0 when there is none.

    Shapes: logits [batch, classes], slots int [batch]. Label smoothing as in Szegedy et al. 2016 (arXiv 1512.00567).
    """
    known = tf.cast(slots >= 0, tf.float32)
    log_probabilities = tf.nn.log_softmax(logits)
    chosen = tf.gather(log_probabilities, tf.maximum(slots, 0), batch_dims=1)
    loss = -(1.0 - smoothing) * chosen - smoothing * tf.reduce_mean(log_probabilities, axis=1)
    return tf.reduce_sum(loss * known) / tf.maximum(tf.reduce_sum(known), 1.0)


def combined_loss(
    logits: Mapping[str, tf.Tensor], slots: Mapping[str, tf.Tensor], weights: Mapping[str, float], smoothing: float
) -> tf.Tensor:
    """Return the weighted sum of all heads' losses, a scalar."""
    losses = [weights[name] * masked_cross_entropy(logits[name], slots[name], smoothing) for name in logits]
    return tf.add_n(losses)
