"""The optimizer of trunk and heads: Muon for what multiplies a hidden layer, AdamW for the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence

import keras
import tensorflow as tf

MUON_NS_STEPS = 3
"""Newton-Schulz iterations a step, two fewer than Keras' own choice: on a processor each of them costs."""
ADAM_LR_RATIO = 0.5
CLIP_NORM = 5.0


class ConvolutionMuon(keras.optimizers.Muon):
    """Keras' Muon, which leaves kernels of convolutions to AdamW, with these flattened to [in x height x width, out].

    Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; its updates are scaled as in
    Liu et al. 2025 (arXiv 2502.16982), so that learning rates and weight decay are of AdamW's order.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 and super()._should_use_adamw(variable)

    def _muon_update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, lr: tf.Tensor, momentum: keras.Variable
    ) -> None:
        self.assign(momentum, momentum * self.momentum + gradient)
        wanted = gradient + self.momentum * momentum
        matrix = tf.reshape(wanted, (-1, wanted.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, tf.reshape(update, wanted.shape))


def build_optimizer(
    variables: Sequence[keras.Variable], heads: Sequence[str], learning_rate: float, weight_decay: float
) -> ConvolutionMuon:
    """Return the optimizer, built for `variables`.

    AdamW moves vectors and the layers named `heads`, as the output layer of Jordan et al.; vectors do not decay.
    """
    optimizer = ConvolutionMuon(
        learning_rate,
        weight_decay=weight_decay,
        adam_weight_decay=weight_decay,
        adam_lr_ratio=ADAM_LR_RATIO,
        ns_steps=MUON_NS_STEPS,
        exclude_layers=[f"^{re.escape(head)}/" for head in heads],
        global_clipnorm=CLIP_NORM,
    )
    optimizer.exclude_from_weight_decay([v for v in variables if len(v.shape) < 2])
    optimizer.build(variables)
    return optimizer
