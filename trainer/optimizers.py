"""The optimizer of trunk and heads: Muon for what multiplies a hidden layer, AdamW for the rest.

Kernels of one shape are updated as one stack, and all that AdamW moves as one vector: with sixty variables a step is
bound by the number of its operations, not by their size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

MUON_ITERATIONS = 3
"""Newton-Schulz iterations a step, two fewer than Jordan et al.: on a processor each of them costs."""
MUON_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
MUON_MOMENTUM, MUON_RMS = 0.95, 0.2
ADAM_MEAN, ADAM_SQUARE, ADAM_EPSILON = 0.9, 0.999, 1e-7
ADAM_RATE = 0.5
"""AdamW's learning rate beside Muon's."""
CLIP_NORM = 5.0

Updates = Iterator[tuple[int, tf.Tensor]]


class TrunkOptimizer(tf.Module):
    """Moves the variables that it is made with against their gradients, whose common norm is clipped.

    `rates` are the learning rates of the variables beside the common one, 1 each by default.

    Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") moves kernels, those of
    convolutions flattened to [in x height x width, out]; its updates are scaled as in Liu et al. 2025
    (arXiv 2502.16982), so that learning rates and weight decay are of AdamW's order. AdamW (Loshchilov and Hutter 2019,
    arXiv 1711.05101) moves vectors, which do not decay, and the layers named `heads`, the output layer of Jordan et al.
    """

    def __init__(
        self,
        variables: Sequence[keras.Variable],
        heads: Sequence[str],
        learning_rate: float,
        weight_decay: float,
        rates: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.rates = list(rates or [1.0] * len(variables))
        self.learning_rate = tf.Variable(learning_rate, dtype=tf.float32)
        self.steps = tf.Variable(0, dtype=tf.int64)
        self.variables_moved = [variable.value for variable in variables]
        self.decays = [weight_decay if len(variable.shape) > 1 else 0.0 for variable in variables]
        by_shape: dict[tuple[int, int], list[int]] = {}
        others = []
        for place, variable in enumerate(variables):
            if by_muon(variable, heads):
                by_shape.setdefault((int(np.prod(variable.shape[:-1])), variable.shape[-1]), []).append(place)
            else:
                others.append(place)
        self.stacks = [MuonStack(shape, places) for shape, places in by_shape.items()]
        self.vector = AdamVector(others, [int(np.prod(variables[place].shape)) for place in others])

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Move all variables; `gradients` are in their order."""
        gradients, _ = tf.clip_by_global_norm(gradients, CLIP_NORM)
        self.steps.assign_add(1)
        self._move(self.vector.updates(gradients, self.steps), ADAM_RATE * self.learning_rate)
        for stack in self.stacks:
            self._move(stack.updates(gradients), self.learning_rate)

    def _move(self, updates: Updates, rate: tf.Tensor) -> None:
        for place, update in updates:
            variable, decay = self.variables_moved[place], self.decays[place]
            step = rate * tf.reshape(update, variable.shape)
            whole = step + self.learning_rate * decay * variable if decay else step
            variable.assign_sub(self.rates[place] * whole)


class MuonStack(tf.Module):
    """Kernels of one shape, as matrices float32 [kernels, rows, columns]; `places` is where in the list each stands."""

    def __init__(self, shape: tuple[int, int], places: Sequence[int]) -> None:
        super().__init__()
        self.shape, self.places = shape, list(places)
        self.momentum = tf.Variable(tf.zeros((len(places), *shape)))

    def updates(self, gradients: Sequence[tf.Tensor]) -> Updates:
        """Yield what to subtract, at a learning rate of 1: Nesterov's momentum, made orthogonal."""
        stack = tf.stack([tf.reshape(gradients[place], self.shape) for place in self.places])
        momentum = self.momentum.assign(MUON_MOMENTUM * self.momentum + stack)
        scale = MUON_RMS * max(self.shape) ** 0.5
        yield from zip(self.places, tf.unstack(scale * orthogonal(stack + MUON_MOMENTUM * momentum)), strict=True)


class AdamVector(tf.Module):
    """All that AdamW moves, end to end in one vector; `places` is where in the list each variable stands."""

    def __init__(self, places: Sequence[int], sizes: Sequence[int]) -> None:
        super().__init__()
        self.places, self.sizes = list(places), list(sizes)
        self.mean = tf.Variable(tf.zeros(sum(sizes)))
        self.square = tf.Variable(tf.zeros(sum(sizes)))

    def updates(self, gradients: Sequence[tf.Tensor], step: tf.Tensor) -> Updates:
        """Yield what to subtract, at a learning rate of 1; `step` counts from 1."""
        if not self.places:
            return
        flat = tf.concat([tf.reshape(gradients[place], [-1]) for place in self.places], axis=0)
        mean = self.mean.assign_add((1.0 - ADAM_MEAN) * (flat - self.mean))
        square = self.square.assign_add((1.0 - ADAM_SQUARE) * (tf.square(flat) - self.square))
        done = tf.cast(step, tf.float32)
        bias = tf.sqrt(1.0 - ADAM_SQUARE**done) / (1.0 - ADAM_MEAN**done)
        update = bias * mean / (tf.sqrt(square) + ADAM_EPSILON)
        yield from zip(self.places, tf.split(update, self.sizes), strict=True)


def by_muon(variable: keras.Variable, heads: Sequence[str]) -> bool:
    """Tell whether a variable multiplies a hidden layer: a kernel that belongs to none of the layers named `heads`.

    A depthwise kernel [height, width, channels, 1] is a filter a channel, and no matrix.
    """
    if len(variable.shape) == 2:
        return not any(re.match(f"{re.escape(head)}/", variable.path) for head in heads)
    return len(variable.shape) == 4 and variable.shape[-1] > 1


def orthogonal(matrices: tf.Tensor) -> tf.Tensor:
    """Return float32 [n, rows, columns] with the singular values of each matrix brought near 1.

    Newton-Schulz iterations of fifth order, X <- X (a + b X'X + c (X'X)^2). All factors are polynomials in the first
    product of the smaller side, and commute: so they are multiplied there, and the large matrix is taken twice a step,
    not twice an iteration.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices / (tf.norm(matrices, axis=(1, 2), keepdims=True) + 1e-7)
    product = tf.matmul(x, x, transpose_a=tall, transpose_b=not tall)
    whole = factor = _factor(product)
    for _ in range(MUON_ITERATIONS - 1):
        product = tf.matmul(tf.matmul(product, factor), factor)
        factor = _factor(product)
        whole = tf.matmul(whole, factor)
    return tf.matmul(x, whole) if tall else tf.matmul(whole, x)


def _factor(product: tf.Tensor) -> tf.Tensor:
    a, b, c = MUON_COEFFICIENTS
    return a * tf.eye(product.shape[1]) + b * product + c * tf.matmul(product, product)
