"""Starting from an earlier model: the trunk as it is, each head row by slot; new slots keep their fresh rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from trainer.config import LEAF


def load_weights(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays that `export.save_weights` wrote."""
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def copy_weights(model: keras.Model, name: str, arrays: Mapping[str, np.ndarray]) -> int:
    """Copy what fits into a model, the leading slots of longer heads; return how many variables were touched.

    Slots are permanent and append-only, so row i of the old head is row i of the new one. Those of attributes were
    given anew when leaves got a head, so a model without one has none to copy.
    """
    copied, renumbered = 0, name == "heads" and f"heads/{LEAF}/kernel" not in arrays
    for variable in model.variables:
        old = arrays.get(f"{name}/{variable.path}")
        if renumbered and variable.path.startswith("attr_"):
            continue
        if old is None or old.ndim != len(variable.shape) or old.shape[:-1] != tuple(variable.shape)[:-1]:
            continue
        if old.shape == tuple(variable.shape):
            variable.assign(old)
        elif name == "heads" and old.shape[-1] < variable.shape[-1]:
            new = variable.numpy().copy()  # what TensorFlow gives may be read-only
            new[..., : old.shape[-1]] = old
            variable.assign(new)
        else:
            continue
        copied += 1
    return copied
