"""EfficientNet-Lite0: EfficientNet-B0 without squeeze-and-excitation, and with ReLU6 in place of swish.

Tan and Le 2019 (arXiv 1905.11946); the lite variant, whose stem and head are not scaled, is of TensorFlow's TPU
repository (models/official/efficientnet/lite). 3.4 million parameters, 0.4 billion multiplications a photo of 224.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np

from trainer.trunks.layers import FusedBatchNorm, Normalise

STEM, HEAD, EXPANSION = 32, 1280, 6
PIXEL_CENTRE, PIXEL_SCALE = 127.0, 128.0


class _Stage(NamedTuple):
    """Equal blocks, of which the first may halve the photo: the depthwise kernel's size, channels behind them."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    width: int


STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, EXPANSION, 24),
    _Stage(2, 5, 2, EXPANSION, 40),
    _Stage(3, 3, 2, EXPANSION, 80),
    _Stage(3, 5, 1, EXPANSION, 112),
    _Stage(4, 5, 2, EXPANSION, 192),
    _Stage(1, 3, 1, EXPANSION, 320),
)


def lite0(pixels: keras.KerasTensor, policy: str) -> keras.KerasTensor:
    """Return the features [batch, height / 32, width / 32, 1280] of pixels [batch, height, width, 3], RGB 0..255."""
    x = Normalise(PIXEL_CENTRE, PIXEL_SCALE, dtype=policy, name="normalise")(pixels)
    x = _conv_norm(x, STEM, 3, 2, policy, "stem")
    number = 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            x = _block(x, stage, stage.stride if repeat == 0 else 1, policy, f"block{number}")
            number += 1
    return _conv_norm(x, HEAD, 1, 1, policy, "head")


def _block(x: keras.KerasTensor, stage: _Stage, stride: int, policy: str, name: str) -> keras.KerasTensor:
    """Return an inverted residual block (Sandler et al. 2018, arXiv 1801.04381)."""
    y = x if stage.expansion == 1 else _conv_norm(x, stage.expansion * x.shape[-1], 1, 1, policy, f"{name}_expand")
    depthwise = {"padding": "same", "use_bias": False, "depthwise_initializer": "he_normal", "dtype": policy}
    y = keras.layers.DepthwiseConv2D(stage.kernel, stride, name=f"{name}_depthwise_conv", **depthwise)(y)
    y = _norm(y, policy, f"{name}_depthwise")
    y = _conv_norm(y, stage.width, 1, 1, policy, f"{name}_project", relu=False)
    if stride > 1 or x.shape[-1] != stage.width:
        return y
    return keras.layers.Add(dtype=policy, name=f"{name}_add")([x, y])


def _conv_norm(
    x: keras.KerasTensor, width: int, size: int, stride: int, policy: str, name: str, *, relu: bool = True
) -> keras.KerasTensor:
    options = {"use_bias": False, "kernel_initializer": "he_normal", "dtype": policy}
    x = keras.layers.Conv2D(width, size, stride, "same", name=f"{name}_conv", **options)(x)
    return _norm(x, policy, name, relu=relu)


def _norm(x: keras.KerasTensor, policy: str, name: str, *, relu: bool = True) -> keras.KerasTensor:
    x = FusedBatchNorm(dtype=policy, name=f"{name}_norm")(x)
    return keras.layers.ReLU(6.0, dtype=policy, name=f"{name}_relu6")(x) if relu else x


def of_state_dict(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the variables of the features by path, from the state dict of the port to PyTorch.

    Its names are those of the packages efficientnet-lite-pytorch and efficientnet-pytorch; the classifier is left out.
    Raises KeyError for a tensor that is missing.
    """
    found = _norm_of(tensors, "_bn0", "stem") | _norm_of(tensors, "_bn1", "head")
    convolutions = {"stem": "_conv_stem", "head": "_conv_head"}
    for number in range(sum(stage.repeats for stage in STAGES)):
        place, name = f"_blocks.{number}", f"block{number}"
        norms = {"_bn1": "depthwise", "_bn2": "project"}
        if number:  # the first block does not expand
            norms["_bn0"], convolutions[f"{name}_expand"] = "expand", f"{place}._expand_conv"
        for old, new in norms.items():
            found |= _norm_of(tensors, f"{place}.{old}", f"{name}_{new}")
        convolutions[f"{name}_project"] = f"{place}._project_conv"
        depthwise = tensors[f"{place}._depthwise_conv.weight"]
        found[f"{name}_depthwise_conv/kernel"] = depthwise.transpose(2, 3, 0, 1)
    kernels = {f"{new}_conv/kernel": tensors[f"{old}.weight"] for new, old in convolutions.items()}
    return found | {path: kernel.transpose(2, 3, 1, 0) for path, kernel in kernels.items()}


def _norm_of(tensors: Mapping[str, np.ndarray], old: str, new: str) -> dict[str, np.ndarray]:
    names = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
    return {f"{new}_norm/{ours}": tensors[f"{old}.{theirs}"] for ours, theirs in names.items()}
