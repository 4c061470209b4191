"""The 4096-bit hash head on the frozen embedding.

It is eBay's sigmoid layer before a softmax (arXiv 1706.03154), with a supervised contrast inside the batch on the
relaxed code (Khosla et al. 2020, arXiv 2004.11362). The plain head loses to random hyperplanes and the contrast repairs
it. What classes forget is kept by starting from random hyperplanes, by a contrast of those that share leaf and
attribute (colour, pattern), and by a term that keeps the similarities of embeddings (neighbours).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from trainer.config import EMBEDDING_DIM, HASH_BITS, LEAF, levels_of
from trainer.divergence import DivergedError, all_finite
from trainer.heads import combined_loss
from trainer.loop import say
from trainer.schedule import LEAST_STEPS, one_cycle, rows_of_step, share_done

BATCH = 256
MOST_EPOCHS = 8
"""More passes over a small catalogue tear the codes of neighbours apart."""
TEMPERATURE, SHARPNESS = 0.1, 3.0
LEAF_CONTRAST, ATTRIBUTE_CONTRAST, FIDELITY = 2.0, 2.0, 20.0
"""Weights in the loss; all attributes share theirs."""


def build_hash_head(bits: int = HASH_BITS, seed: int = 1) -> keras.Model:
    """Return the model normalised embedding [batch, 512] -> logits, float32 [batch, bits]; it starts as LSH."""
    embedding = keras.Input((EMBEDDING_DIM,), name="unit_embedding")
    start = keras.initializers.RandomNormal(stddev=1.0, seed=seed)
    dense = keras.layers.Dense(bits, kernel_initializer=start, dtype="float32", name="hash")
    return keras.Model(embedding, dense(embedding), name="hash_head")


def fit_hash_head(
    head: keras.Model,
    embeddings: np.ndarray,
    slots: Mapping[str, np.ndarray],
    classes: Mapping[str, int],
    weights: Mapping[str, float],
    *,
    minutes: float,
    steps: int | None = None,
    seed: int,
    rate: float = 6e-3,
) -> dict[str, float]:
    """Train the head on cached embeddings (floats [n, 512], normalised); the trunk is not even here.

    `slots` are int32 [n] a label, -1 unknown; `classes` the number of slots a label. It ends after `steps`, or without
    them after `minutes`. Returns loss and steps.
    """
    keras.utils.set_random_seed(seed)
    bits = head.output_shape[-1]
    code = keras.Input((bits,))
    classifier = keras.Model(code, {name: keras.layers.Dense(size, name=name)(code) for name, size in classes.items()})
    variables = [*head.trainable_variables, *classifier.trainable_variables]
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)
    def step(x: tf.Tensor, y: Mapping[str, tf.Tensor]) -> tf.Tensor:
        with tf.GradientTape() as tape:
            relaxed = tf.tanh(SHARPNESS * head(x, training=True))
            unit = tf.math.l2_normalize(relaxed, axis=1)
            similarity = tf.matmul(unit, unit, transpose_b=True)
            loss = combined_loss(classifier(relaxed), y, weights, 0.1) + FIDELITY * fidelity(similarity, x)
            for weight, alike in likenesses(y, classes):
                loss += weight * contrast(similarity, alike)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    batch = min(BATCH, len(embeddings))
    started, done, loss, enough = time.monotonic(), 0, tf.constant(0.0), MOST_EPOCHS * len(embeddings) // batch
    while (share := _share(done, time.monotonic() - started, minutes, steps, enough)) < 1.0:
        rows = rows_of_step(done, len(embeddings), batch, seed)
        optimizer.learning_rate.assign(one_cycle(share, rate))
        targets = {name: tf.constant(values[rows]) for name, values in slots.items()}
        loss = step(tf.constant(embeddings[rows], tf.float32), targets)
        done += 1
    if not math.isfinite(float(loss)) or not all_finite(head.variables):
        raise DivergedError(f"the training of the hash head has diverged: its loss is {float(loss)} after {done} steps")
    say(f"hash head: {done} steps")
    return {"hash.loss": float(loss), "hash.steps": float(done), "hash.seconds": round(time.monotonic() - started, 1)}


def _share(done: int, spent_s: float, minutes: float, steps: int | None, enough: int) -> float:
    """Return how much is done: by the steps or the minutes, or by the steps that are enough for few photos."""
    return max(share_done(done, spent_s, steps=steps, minutes=minutes), done / max(LEAST_STEPS, enough))


def likenesses(slots: Mapping[str, tf.Tensor], classes: Mapping[str, int]) -> list[tuple[float, tf.Tensor]]:
    """Return (weight, int32 [batch]) of what makes two photos alike: the leaf, and the leaf with each attribute.

    -1 is unknown. `slots` and `classes` (their number) are by label.
    """
    leaf, attributes = slots[LEAF], [name for name in slots if name not in (LEAF, *levels_of(slots))]
    alike = [(LEAF_CONTRAST, leaf)]
    for name in attributes:
        known = (leaf >= 0) & (slots[name] >= 0)
        both = tf.where(known, leaf * classes[name] + slots[name], -1)
        alike.append((ATTRIBUTE_CONTRAST / len(attributes), both))
    return alike


def contrast(similarity: tf.Tensor, slots: tf.Tensor) -> tf.Tensor:
    """Return the supervised contrast of codes by class, from their cosines [batch, batch].

    One without a partner does not count.
    """
    similarity = similarity / TEMPERATURE
    itself = tf.eye(tf.shape(slots)[0])
    same = tf.cast((slots[:, None] == slots[None, :]) & (slots[:, None] >= 0), tf.float32) * (1.0 - itself)
    log_share = similarity - tf.reduce_logsumexp(similarity - 1e9 * itself, axis=1, keepdims=True)
    partners = tf.reduce_sum(same, axis=1)
    each = -tf.reduce_sum(same * log_share, axis=1) / tf.maximum(partners, 1.0)
    return tf.reduce_sum(each) / tf.maximum(tf.reduce_sum(tf.cast(partners > 0, tf.float32)), 1.0)


def fidelity(similarity: tf.Tensor, embeddings: tf.Tensor) -> tf.Tensor:
    """Return how far the codes' cosines [batch, batch] are from the embeddings' angles, mean square over pairs."""
    angles = 1.0 - 2.0 / np.pi * tf.acos(
        tf.clip_by_value(tf.matmul(embeddings, embeddings, transpose_b=True), -0.999, 0.999)
    )
    return tf.reduce_mean(tf.square(similarity - angles))
