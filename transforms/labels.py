"""What happens to labels: permanent slots, class counts and quantiles, as one TensorFlow Transform preprocessing_fn.

Slots come from the taxonomy and never from the data at hand: a vocabulary ordered by frequency would reorder the
classes of a trained head. It must not know about pixels (photos pass through as bytes), Beam pipelines or files.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import tensorflow as tf
import tensorflow_transform as tft

PASSED_THROUGH: Final = ("item_id", "digest", "role", "image")
UNKNOWN: Final = -1

Features = dict[str, Any]  # tensors, or their feature specs, by name


def raw_feature_spec(slots: Mapping[str, Mapping[str, int]], numeric: Sequence[str], *, image: bool) -> Features:
    """Return the spec of the examples to transform: item_id, digest, role, the photo if wanted, labels and numbers.

    Labels are tf.string and numbers tf.float32, both optional: absent and "" (labels) or NaN (numbers) are alike.
    """
    names = PASSED_THROUGH if image else tuple(name for name in PASSED_THROUGH if name != "image")
    spec: Features = {name: tf.io.FixedLenFeature([], tf.string) for name in names}
    spec |= {name: tf.io.VarLenFeature(tf.string) for name in slots}
    return spec | {name: tf.io.VarLenFeature(tf.float32) for name in numeric}


def slot_feature(label: str) -> str:
    """Return the name of a label's slots: int64 [batch], -1 where the value is absent or not in the taxonomy."""
    return f"{label}_slot"


def count_feature(label: str) -> str:
    """Return the name of a label's class counts: int64 [batch], how many examples share the example's slot."""
    return f"{label}_count"


def bucket_feature(number: str) -> str:
    """Return the name of a number's quantile buckets: int64 [batch] in 0..num_buckets-1, -1 where it is missing."""
    return f"{number}_bucket"


def label_preprocessing_fn(
    inputs: Mapping[str, Any],
    *,
    slots: Mapping[str, Mapping[str, int]],
    numeric: Sequence[str] = (),
    num_buckets: int = 10,
) -> Features:
    """Return the transformed features of a batch, for AnalyzeAndTransformDataset and for the TFX Transform component.

    `inputs` hold what `raw_feature_spec` describes, dense [batch] or sparse; `slots` maps each label feature, such as
    `category_1` or `attr_colour`, to its taxonomy {value: slot}. Outputs: item_id, digest, role and image as they are,
    and per label and number the features named by `slot_feature`, `count_feature` and `bucket_feature`.

    Raises ValueError when a feature is missing, a slot is negative or used twice, or num_buckets is below 2.
    """
    _check(inputs, slots, numeric, num_buckets)
    outputs: Features = {name: inputs[name] for name in PASSED_THROUGH if name in inputs}
    for label, table in slots.items():
        found = _lookup(_dense(inputs[label], b""), table)
        outputs[slot_feature(label)] = found
        outputs[count_feature(label)] = _count_of_each(found, _size(table))
    for number in numeric:
        outputs[bucket_feature(number)] = _bucketise(_dense(inputs[number], float("nan")), num_buckets)
    return outputs


def _check(
    inputs: Mapping[str, Any], slots: Mapping[str, Mapping[str, int]], numeric: Sequence[str], num_buckets: int
) -> None:
    missing = [name for name in (*slots, *numeric) if name not in inputs]
    if missing:
        raise ValueError(f"the examples have no {', '.join(missing)}; they have {', '.join(sorted(inputs))}")
    if num_buckets < 2:
        raise ValueError(f"num_buckets={num_buckets}: quantiles need at least 2")
    for label, table in slots.items():
        used = sorted(table.values())
        if used and used[0] < 0:
            raise ValueError(f"{label}: slot {used[0]} is negative; slots start at 0")
        if len(set(used)) < len(used):
            raise ValueError(f"{label}: two values share a slot; every value of a taxonomy has its own")


def _size(table: Mapping[str, int]) -> int:
    """Return the number of slots ever given, at least 1, so that tables of new labels are no special case."""
    return max(table.values(), default=0) + 1


def _dense(values: Any, default: bytes | float) -> tf.Tensor:
    """Return one value an example, [batch]: `default` where there is none."""
    if not isinstance(values, tf.SparseTensor):
        return values if values.shape.rank == 1 else tf.reshape(values, [-1])
    first = tf.sparse.slice(values, [0, 0], [values.dense_shape[0], 1])
    rows = tf.scatter_nd(first.indices[:, :1], tf.ones_like(first.indices[:, 0]), values.dense_shape[:1])
    at = tf.cumsum(rows, exclusive=True)
    padded = tf.concat([first.values, tf.constant([default], first.values.dtype)], 0)
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


def _count_of_each(slots: tf.Tensor, size: int) -> tf.Tensor:
    """Return how many analysed examples have the slot of each example, int64 [batch]; 0 for unknown ones."""
    known = tf.boolean_mask(slots, slots >= 0)
    in_batch = tf.math.bincount(tf.cast(known, tf.int32), minlength=size, maxlength=size, dtype=tf.int64)
    counts = tf.reshape(tft.sum(in_batch[tf.newaxis, :], reduce_instance_dims=False), [size])
    return tf.where(slots >= 0, tf.gather(counts, tf.maximum(slots, 0)), tf.zeros_like(slots))


def _bucketise(numbers: tf.Tensor, num_buckets: int) -> tf.Tensor:
    """Return the quantile bucket of each number, int64 [batch]; -1 for NaN and infinities."""
    known = tf.math.is_finite(numbers)
    bounds = tft.quantiles(tf.boolean_mask(numbers, known), num_buckets, epsilon=0.01)
    buckets = tft.apply_buckets(tf.where(known, numbers, tf.zeros_like(numbers)), bounds)
    return tf.where(known, buckets, UNKNOWN * tf.ones_like(buckets))
