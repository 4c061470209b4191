"""Trunks: pixels -> a feature vector. ResNets of our own, and networks of which there are published weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import keras

from trainer.config import EMBEDDING_DIM
from trainer.trunks.lite0 import lite0
from trainer.trunks.published import APPLICATIONS
from trainer.trunks.resnets import resnet50, small, tiny

Body = Callable[[keras.KerasTensor, str], keras.KerasTensor]

BODIES: Final[dict[str, Body]] = {
    "tiny": tiny,
    "small": small,
    "resnet50": resnet50,
    "efficientnet_lite0": lite0,
    **{name: application.features for name, application in APPLICATIONS.items()},
}
POOL: Final = "pool"
"""The layer between a trunk's body, which published weights fill, and its projection, which they do not know."""


def build_trunk(name: str, dtype: str) -> keras.Model:
    """Return the model pixels [batch, height, width, 3] (0..255) -> embedding float32 [batch, 512], not normalised.

    `dtype` is what convolutions compute in; variables are float32. Raises ValueError for an unknown name.
    """
    if name not in BODIES:
        raise ValueError(f"unknown trunk {name!r}; use one of {', '.join(BODIES)}")
    policy = "mixed_bfloat16" if dtype == "bfloat16" else "float32"
    pixels = keras.Input((None, None, 3), name="pixels", dtype="float32")
    features = BODIES[name](pixels, policy)
    pooled = keras.layers.GlobalAveragePooling2D(dtype="float32", name=POOL)(features)
    dense = keras.layers.Dense(EMBEDDING_DIM, use_bias=False, dtype="float32", name="projection")(pooled)
    normed = keras.layers.BatchNormalization(momentum=0.9, dtype="float32", name="embedding_norm")(dense)
    return keras.Model(pixels, normed, name=f"trunk_{name}")


def body_of(trunk: keras.Model) -> keras.Model:
    """Return a trunk's pixels -> pooled features float32 [batch, channels]; layers and variables are shared."""
    return keras.Model(trunk.input, trunk.get_layer(POOL).output, name="body")


def projection_of(trunk: keras.Model) -> keras.Model:
    """Return a trunk's pooled features [batch, channels] -> embedding; layers and variables are shared."""
    return keras.Model(trunk.get_layer(POOL).output, trunk.output, name="projection")
