"""Sixty tiny photos in three colours, as the Transform component leaves them."""

from __future__ import annotations

import keras
import numpy as np

from trainer.trunks.layers import FusedBatchNorm, Normalise

HEIGHT, WIDTH, COUNT = 24, 16, 60
LABELS = ("leaf", "category_0", "category_1")


def colour_slots() -> np.ndarray:
    return np.arange(COUNT, dtype=np.int32) % 3


def make_photos() -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 60, (COUNT, HEIGHT, WIDTH, 3)).astype(np.uint8)
    pixels[np.arange(COUNT), :, :, colour_slots()] += 180
    return pixels


def labels() -> dict[str, np.ndarray]:
    """Level 0 tells the first colour from the others, level 1 each.

    Every tenth photo has no level 1: its leaf is its level 0, in a slot behind those of the colours.
    """
    colour, shallow = colour_slots(), np.arange(COUNT) % 10 == 9
    top = np.minimum(colour, 1)
    return {
        "leaf": np.where(shallow, 3 + top, colour),
        "category_0": top,
        "category_1": np.where(shallow, -1, colour),
    }


def roles() -> np.ndarray:
    """Every twelfth photo is from the catalogue."""
    return np.where(np.arange(COUNT) % 12 == 0, "catalogue", "photo")


def tiny_trunk() -> keras.Model:
    """A trunk that compiles in a moment: one convolution, its norm, and a projection to 512."""
    pixels = keras.Input((None, None, 3), name="pixels")
    x = keras.layers.Conv2D(8, 3, 2, use_bias=False, name="conv")(Normalise(name="normalise")(pixels))
    x = keras.layers.ReLU(name="relu")(FusedBatchNorm(name="norm")(x))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(pixels, keras.layers.Dense(512, name="projection")(x), name="trunk_tiny")
