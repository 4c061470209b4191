"""What happens to labels: permanent slots, as one TensorFlow Transform preprocessing_fn.

Slots come from the taxonomy and never from the data at hand: a vocabulary ordered by frequency would reorder the
classes of a trained head. It must not know about pixels (photos pass through as bytes), Beam pipelines or files.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import tensorflow as tf
import tensorflow_transform as tft

PASSED_THROUGH: Final = ("item_id", "digest", "role", "image")
UNKNOWN: Final = -1

Features = dict[str, Any]  # tensors, or their feature specs, by name


def raw_feature_spec(labels: Iterable[str]) -> Features:
    """Return the spec of the examples to transform: item_id, digest, role, the photo, and labels, all tf.string.

    Labels are optional: absent and "" are alike.
    """
    spec: Features = {name: tf.io.FixedLenFeature([], tf.string) for name in PASSED_THROUGH}
    return spec | {name: tf.io.VarLenFeature(tf.string) for name in labels}


def slot_feature(label: str) -> str:
    """Return the name of a label's slots: int64 [batch], -1 where the value is absent or not in the taxonomy."""
    return f"{label}_slot"


def label_preprocessing_fn(inputs: Mapping[str, Any], *, slots: Mapping[str, Mapping[str, int]]) -> Features:
    """Return the transformed features of a batch, for AnalyzeAndTransformDataset and for the TFX Transform component.

    `inputs` hold what `raw_feature_spec` describes, dense [batch] or sparse; `slots` maps each label feature, such as
    `category_1` or `attr_colour`, to its taxonomy {value: slot}. Outputs: item_id, digest, role and image as they are,
    and per label the feature named by `slot_feature`.

    Raises ValueError when a feature is missing, or a slot is negative or used twice.
    """
    _check(inputs, slots)
    outputs: Features = {name: inputs[name] for name in PASSED_THROUGH if name in inputs}
    for label, table in slots.items():
        outputs[slot_feature(label)] = _lookup(_dense(inputs[label]), table)
    return outputs


def _check(inputs: Mapping[str, Any], slots: Mapping[str, Mapping[str, int]]) -> None:
    missing = [name for name in slots if name not in inputs]
    if missing:
        raise ValueError(f"the examples have no {', '.join(missing)}; they have {', '.join(sorted(inputs))}")
    for label, table in slots.items():
        used = sorted(table.values())
        if used and used[0] < 0:
            raise ValueError(f"{label}: slot {used[0]} is negative; slots start at 0")
        if len(set(used)) < len(used):
            raise ValueError(f"{label}: two values share a slot; every value of a taxonomy has its own")


def _dense(values: Any) -> tf.Tensor:
    """Return one value an example, [batch]: "" where there is none."""
    if not isinstance(values, tf.SparseTensor):
        return values if values.shape.rank == 1 else tf.reshape(values, [-1])
    first = tf.sparse.slice(values, [0, 0], [values.dense_shape[0], 1])
    rows = tf.scatter_nd(first.indices[:, :1], tf.ones_like(first.indices[:, 0]), values.dense_shape[:1])
    at = tf.cumsum(rows, exclusive=True)
    padded = tf.concat([first.values, tf.constant([b""])], 0)
    return tf.gather(padded, tf.where(rows > 0, at, tf.shape(first.values, tf.int64)[0]))


def _lookup(values: tf.Tensor, table: Mapping[str, int]) -> tf.Tensor:
    """Return the slots of `values`, int64 [batch]."""
    # A table without entries is refused by TensorFlow; "" is what absent labels are, so it may stand for unknown.
    entries = {"": UNKNOWN, **table}
    keys, found = list(entries), list(entries.values())
    lookup = tft.make_and_track_object(
        lambda: tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, found, key_dtype=tf.string, value_dtype=tf.int64),
            default_value=UNKNOWN,
        )
    )
    return lookup.lookup(values)
