"""One step of a training: photos are varied, their loss is taken, and what learns is moved against its gradients."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf

from trainer.augment import augment
from trainer.config import TrainSpec
from trainer.heads import combined_loss, loss_weights
from trainer.optimizers import TrunkOptimizer
from trainer.trunks import body_of, projection_of


class TrainingStep(tf.Module):
    """Moves all of a trunk and its heads, or with a `frozen` body the projection and the heads alone.

    A frozen body serves: its batch norms read the statistics that they came with; so do they with `spec.fixed_norms`
    where it moves, at `spec.trunk_rate` of the learning rate.
    """

    def __init__(self, spec: TrainSpec, trunk: keras.Model, heads: keras.Model, *, frozen: bool = False) -> None:
        super().__init__()
        self.spec, self.heads, self.frozen = spec, heads, frozen
        self.body, self.projection = body_of(trunk), projection_of(trunk)
        labels = list(heads.output)
        self.weights = loss_weights(labels, spec.attribute_weight)
        learning = self.projection if frozen else trunk
        self.moved = [*learning.trainable_variables, *heads.trainable_variables]
        slow = {variable.path for variable in self.body.trainable_variables}
        rates = [spec.trunk_rate if variable.path in slow else 1.0 for variable in self.moved]
        self.optimizer = TrunkOptimizer(self.moved, labels, spec.learning_rate, spec.weight_decay, rates)

    @tf.function(reduce_retracing=True)
    def __call__(
        self, pixels: tf.Tensor, slots: Mapping[str, tf.Tensor], seed: tf.Tensor, size: tuple[int, int]
    ) -> tf.Tensor:
        """Do one step on uint8 pixels [batch, height, width, 3] shown at `size`; return the loss.

        `slots` are int32 [batch] a label, -1 unknown; equal `seed`s (int32 [2]) vary photos alike.
        """
        varied = augment(pixels, seed, size, self.spec.scenes)
        with tf.GradientTape() as tape:
            logits = self.heads(self._embed(varied), training=True)
            loss = combined_loss(logits, slots, self.weights, self.spec.label_smoothing)
        self.optimizer.apply(tape.gradient(loss, self.moved))
        return loss

    def _embed(self, pixels: tf.Tensor) -> tf.Tensor:
        pooled = self.body(pixels, training=not (self.frozen or self.spec.fixed_norms))
        return self.projection(tf.stop_gradient(pooled) if self.frozen else pooled, training=True)
