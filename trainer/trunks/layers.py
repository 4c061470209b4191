"""What trunks are made of: the normalisation of pixels, and batch normalisation that is fast on processors."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from transforms.pixels import PIXEL_CENTRE, PIXEL_SCALE


@keras.saving.register_keras_serializable("visual_search")
class FusedBatchNorm(keras.layers.Layer):
    """Batch normalisation by TensorFlow's fused kernel, 1.34 times as fast on a processor as Keras' own.

    Statistics are float32 whatever the input's dtype; input and output are [batch, height, width, channels].
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-3, zero_init: bool = False, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.momentum, self.epsilon, self.zero_init = momentum, epsilon, zero_init

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create scale, offset and the moving statistics."""
        size = (shape[-1],)
        start = "zeros" if self.zero_init else "ones"
        self.gamma = self.add_weight(name="gamma", shape=size, initializer=start, dtype="float32", autocast=False)
        self.beta = self.add_weight(name="beta", shape=size, initializer="zeros", dtype="float32", autocast=False)
        moving = {"shape": size, "trainable": False, "dtype": "float32", "autocast": False}
        self.mean = self.add_weight(name="mean", initializer="zeros", **moving)
        self.variance = self.add_weight(name="variance", initializer="ones", **moving)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalise by the batch's statistics when training, by the moving ones otherwise."""
        fixed = [self.gamma.value, self.beta.value]
        if not training:
            moving = {"mean": self.mean.value, "variance": self.variance.value}
            return tf.compat.v1.nn.fused_batch_norm(x, *fixed, **moving, epsilon=self.epsilon, is_training=False)[0]
        y, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, *fixed, epsilon=self.epsilon, is_training=True)
        for moving_value, new in ((self.mean, mean), (self.variance, variance)):
            moving_value.assign(moving_value * self.momentum + new * (1.0 - self.momentum))
        return y

    def get_config(self) -> dict[str, object]:
        """Return what rebuilds the layer."""
        own = {"momentum": self.momentum, "epsilon": self.epsilon, "zero_init": self.zero_init}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("visual_search")
class Normalise(keras.layers.Layer):
    """The fixed normalisation of pixels: RGB 0..255 [batch, height, width, 3] -> (pixel - centre) / scale.

    `centre` and `scale` are a number each or one a channel; `reverse` puts blue first, and comes before them. The
    result is of the compute dtype.
    """

    def __init__(
        self,
        centre: float | Sequence[float] = PIXEL_CENTRE,
        scale: float | Sequence[float] = PIXEL_SCALE,
        reverse: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.centre, self.scale, self.reverse = centre, scale, reverse

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Normalise in float32, then cast."""
        pixels = tf.cast(x, tf.float32)
        if self.reverse:
            pixels = tf.reverse(pixels, [-1])
        return tf.cast((pixels - tf.constant(self.centre)) / tf.constant(self.scale), self.compute_dtype)

    def get_config(self) -> dict[str, object]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "centre": self.centre, "scale": self.scale, "reverse": self.reverse}
