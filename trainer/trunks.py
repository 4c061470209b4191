"""Trunks: uint8 pixels -> a feature vector. A tiny and a small ResNet for processors, ResNet-50 for production."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from trainer.config import EMBEDDING_DIM
from transforms.tf_pixels import normalise

TRUNK_NAMES = ("tiny", "small", "resnet50")


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
    """The fixed normalisation of pixels: uint8 [batch, height, width, 3] -> the compute dtype."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Normalise in float32, then cast."""
        return tf.cast(normalise(x), self.compute_dtype)


def build_trunk(name: str, dtype: str) -> keras.Model:
    """Return the model pixels [batch, height, width, 3] (0..255) -> embedding float32 [batch, 512], not normalised.

    `dtype` is what convolutions compute in; variables are float32. Raises ValueError for an unknown name.
    """
    if name not in TRUNK_NAMES:
        raise ValueError(f"unknown trunk {name!r}; use one of {', '.join(TRUNK_NAMES)}")
    policy = "mixed_bfloat16" if dtype == "bfloat16" else "float32"
    pixels = keras.Input((None, None, 3), name="pixels", dtype="float32")
    body: Callable[[keras.KerasTensor, str], keras.KerasTensor] = {
        "tiny": _tiny,
        "small": _small,
        "resnet50": _resnet50,
    }[name]
    features = body(Normalise(dtype=policy, name="normalise")(pixels), policy)
    pooled = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pool")(features)
    dense = keras.layers.Dense(EMBEDDING_DIM, use_bias=False, dtype="float32", name="projection")(pooled)
    normed = keras.layers.BatchNormalization(momentum=0.9, dtype="float32", name="embedding_norm")(dense)
    return keras.Model(pixels, normed, name=f"trunk_{name}")


def _tiny(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    """Half as wide as the small one, at about a third of its time a photo."""
    return _resnet18(x, 16, policy)


def _small(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    return _resnet18(x, 32, policy)


def _resnet18(x: keras.KerasTensor, width: int, policy: str) -> keras.KerasTensor:
    """ResNet-18 of basic blocks, with a 3 x 3 stem of stride 2 (He et al. 2016, arXiv 1512.03385)."""
    x = _conv_norm(x, width, 3, 2, policy, "stem", relu=True)
    for stage, blocks in enumerate((2, 2, 2, 2)):
        for block in range(blocks):
            x = _basic_block(x, width << stage, 2 if stage and not block else 1, policy, f"stage{stage}_block{block}")
    return x


def _resnet50(x: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    """ResNet-50 with the stride in the 3 x 3 convolution."""
    x = _conv_norm(x, 64, 7, 2, policy, "stem", relu=True)
    x = keras.layers.MaxPooling2D(3, 2, "same", dtype=policy)(x)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            x = _bottleneck(x, 64 << stage, 2 if stage and not block else 1, policy, f"stage{stage}_block{block}")
    return x


def _conv_norm(
    x: keras.KerasTensor,
    width: int,
    size: int,
    stride: int,
    policy: str,
    name: str,
    *,
    relu: bool,
    zero_init: bool = False,
) -> keras.KerasTensor:
    # Names are given: those that Keras makes up count on within a process, and models and warm starts go by them.
    options = {"use_bias": False, "kernel_initializer": "he_normal", "dtype": policy}
    x = keras.layers.Conv2D(width, size, stride, "same", name=f"{name}_conv", **options)(x)
    x = FusedBatchNorm(zero_init=zero_init, dtype=policy, name=f"{name}_norm")(x)
    return keras.layers.ReLU(dtype=policy, name=f"{name}_relu")(x) if relu else x


def _basic_block(x: keras.KerasTensor, width: int, stride: int, policy: str, name: str) -> keras.KerasTensor:
    y = _conv_norm(x, width, 3, stride, policy, f"{name}_1", relu=True)
    y = _conv_norm(y, width, 3, 1, policy, f"{name}_2", relu=False, zero_init=True)
    return _join(x, y, width, stride, policy, name)


def _bottleneck(x: keras.KerasTensor, width: int, stride: int, policy: str, name: str) -> keras.KerasTensor:
    y = _conv_norm(x, width, 1, 1, policy, f"{name}_1", relu=True)
    y = _conv_norm(y, width, 3, stride, policy, f"{name}_2", relu=True)
    y = _conv_norm(y, 4 * width, 1, 1, policy, f"{name}_3", relu=False, zero_init=True)
    return _join(x, y, 4 * width, stride, policy, name)


def _join(
    x: keras.KerasTensor, y: keras.KerasTensor, width: int, stride: int, policy: str, name: str
) -> keras.KerasTensor:
    if stride > 1 or x.shape[-1] != width:
        x = _conv_norm(x, width, 1, stride, policy, f"{name}_shortcut", relu=False)
    joined = keras.layers.Add(dtype=policy, name=f"{name}_add")([x, y])
    return keras.layers.ReLU(dtype=policy, name=f"{name}_relu")(joined)
