"""Weights that a trunk's body starts from, read from a file; the projection to 512 and the heads start at random.

What a file may be: Keras' own weights (`.weights.h5`, and the `.h5` that keras.applications downloads), a whole model
of Keras (`.keras`) that holds the network, or for EfficientNet-Lite0 a state dict of PyTorch (`.pth`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from trainer.torch_file import read_state_dict
from trainer.trunks import body_of
from trainer.trunks.lite0 import of_state_dict
from trainer.weight_files import OF_TORCH, SUFFIXES


class InitialWeightsError(ValueError):
    """A file that does not hold the weights of a trunk; the message names both, and what is missing."""


def fill(trunk: keras.Model, name: str, path: Path) -> int:
    """Assign the weights in a file to the body of a trunk called `name`; return how many variables they are.

    Nothing is assigned unless all are there, in the right shape. Raises InitialWeightsError.
    """
    try:
        found = _read(trunk, name, path)
    except (OSError, ValueError, KeyError) as error:
        what = f"the tensor {error} is missing" if isinstance(error, KeyError) else error
        raise InitialWeightsError(f"{path.name} does not hold the weights of trunk {name!r}: {what}") from error
    variables = body_of(trunk).variables
    for variable in variables:
        array = found.get(variable.path)
        if array is None or array.shape != tuple(variable.shape):
            has = "none" if array is None else f"one of {array.shape}"
            raise InitialWeightsError(
                f"{path.name} does not hold the weights of trunk {name!r}, which wants {variable.path} of "
                f"{tuple(variable.shape)}: it has {has}"
            )
    for variable in variables:
        variable.assign(found[variable.path])
    return len(variables)


def _read(trunk: keras.Model, name: str, path: Path) -> Mapping[str, np.ndarray]:
    """Return arrays by the paths of the trunk's variables."""
    if path.suffix == ".pth":
        if name != OF_TORCH:
            raise ValueError(f"files of PyTorch are read for {OF_TORCH} alone; use one of Keras")
        return of_state_dict(read_state_dict(path))
    if path.suffix == ".keras":
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        return {variable.path: np.asarray(variable.value) for variable in model.variables}
    if path.suffix != ".h5":
        raise ValueError(f"a file of {', '.join(SUFFIXES)} is wanted")
    return _of_keras(_network_of(trunk), path)


def _of_keras(network: keras.Model, path: Path) -> dict[str, np.ndarray]:
    """Return the weights of a network in a file of Keras, and leave the network as it is."""
    before = [np.asarray(variable.value) for variable in network.variables]
    try:
        for variable in network.variables:  # what a file lacks Keras may leave as it was, with a warning alone
            variable.assign(np.full(variable.shape, np.nan, np.float32))
        network.load_weights(path)
        found = {variable.path: np.asarray(variable.value) for variable in network.variables}
    finally:
        for variable, value in zip(network.variables, before, strict=True):
            variable.assign(value)
    return {path: array for path, array in found.items() if not np.isnan(array).any()}


def _network_of(trunk: keras.Model) -> keras.Model:
    """Return the network that weight files of Keras are of: the one of keras.applications inside, or the body."""
    inside = (layer for layer in trunk.layers if isinstance(layer, keras.Model))
    return next(inside, body_of(trunk))
