"""Whether a training still computes with numbers: after one loss that is none, nothing comes of the rest."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import tensorflow as tf


class DivergedError(ArithmeticError):
    """A loss or weights became infinite or NaN; the message says when, and what to do."""


def all_finite(variables: Iterable[keras.Variable]) -> bool:
    """Tell whether all variables of floats hold finite numbers alone."""
    values = [tf.convert_to_tensor(variable) for variable in variables]
    found = [tf.reduce_all(tf.math.is_finite(value)) for value in values if value.dtype.is_floating]
    return bool(tf.reduce_all(tf.stack(found)))
