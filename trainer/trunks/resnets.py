"""ResNets that are trained from scratch: a tiny and a small one for processors, ResNet-50 for production."""

from __future__ import annotations

import keras

from trainer.trunks.layers import FusedBatchNorm, Normalise


def tiny(pixels: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    """Half as wide as the small one, at about a third of its time a photo."""
    return _resnet18(pixels, 16, policy)


def small(pixels: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    """ResNet-18 of half the width, for photos of about 100 pixels."""
    return _resnet18(pixels, 32, policy)


def _resnet18(pixels: keras.KerasTensor, width: int, policy: str) -> keras.KerasTensor:
    """ResNet-18 of basic blocks, with a 3 x 3 stem of stride 2 (He et al. 2016, arXiv 1512.03385)."""
    x = Normalise(dtype=policy, name="normalise")(pixels)
    x = _conv_norm(x, width, 3, 2, policy, "stem", relu=True)
    for stage, blocks in enumerate((2, 2, 2, 2)):
        for block in range(blocks):
            x = _basic_block(x, width << stage, 2 if stage and not block else 1, policy, f"stage{stage}_block{block}")
    return x


def resnet50(pixels: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    """ResNet-50 with the stride in the 3 x 3 convolution ("v1.5", Goyal et al. 2017, arXiv 1706.02677)."""
    x = Normalise(dtype=policy, name="normalise")(pixels)
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
