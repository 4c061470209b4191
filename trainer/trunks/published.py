"""Trunks of keras.applications, without their classifiers, and how each wants its pixels.

Keras builds them in whatever is its policy at the moment; their variables have the names that Keras' weight files and
warm starts go by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from trainer.trunks.layers import Normalise

MOMENTUM = 0.9
"""Batch statistics kept a step: with Keras' .99 and .999 those of a short training would be of where it began."""
BYTES_MEAN, BYTES_DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
CAFFE_MEAN = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class Application:
    """A network of keras.applications: what builds it, and what stands before its first convolution."""

    build: Callable[..., keras.Model]
    pixels: dict[str, Any]
    options: dict[str, Any]

    def features(self, pixels: keras.KerasTensor, policy: str) -> keras.KerasTensor:
        """Return the features [batch, height / 32, width / 32, channels] of pixels [batch, height, width, 3]."""
        normalised = Normalise(**self.pixels, dtype=policy, name="normalise")(pixels)
        with _policy(policy):
            return self.network()(normalised)

    def network(self) -> keras.Model:
        """Return the network of normalised pixels of any size."""
        whole = self.build(include_top=False, weights=None, input_shape=(None, None, 3), **self.options)
        built = keras.models.clone_model(whole, clone_function=_adapted)
        for layer in built.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = MOMENTUM
        return built

    def download(self) -> None:
        """Have Keras fetch the weights into its own folder, if they are not there, and check them."""
        self.build(include_top=False, weights="imagenet", input_shape=(None, None, 3), **self.options)


_AS_IT_IS = {"include_preprocessing": False}
APPLICATIONS = {
    "resnet50_v1": Application(keras.applications.ResNet50, {"centre": CAFFE_MEAN, "scale": 1.0, "reverse": True}, {}),
    "efficientnet_v2_b0": Application(
        keras.applications.EfficientNetV2B0, {"centre": BYTES_MEAN, "scale": BYTES_DEVIATION}, _AS_IT_IS
    ),
    "mobilenet_v3_large": Application(keras.applications.MobileNetV3Large, {}, _AS_IT_IS),
    "mobilenet_v3_small": Application(keras.applications.MobileNetV3Small, {}, _AS_IT_IS),
}


def _adapted(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer in place of one.

    Dropout goes: its state is no weight, and yet moves. MobileNetV3 pads before strided convolutions by what it knows
    of the photo's size when it is built, which is nothing; "same" does it for every size.
    """
    padding = layer.name.endswith("depthwise_pad")
    if padding or isinstance(layer, keras.layers.Dropout):
        return keras.layers.Identity(name=layer.name, dtype=layer.dtype_policy)
    config = layer.get_config()
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        config["padding"] = "same"
    return type(layer).from_config(config)


@contextmanager
def _policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
