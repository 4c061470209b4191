"""A SavedModel as somebody else exports it: a linear model, with a fault if so wished."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from transforms.tf_pixels import decode_prepared_batch, normalise

HEIGHT, WIDTH, DIM, BITS = 20, 16, 8, 32
PREP = f"{HEIGHT}x{WIDTH}-q95-v2"
LEAVES, TOPS, COLOURS = ["Shoes > Boots", "Shoes", "Lamps"], ["Lamps", "Shoes"], ["red", "green"]
HEADS = {"leaf_probabilities": 3, "category_probabilities_0": 2, "attribute_probabilities_colour": 2}

Outputs = dict[str, tf.Tensor]
Fault = Callable[[Outputs], Outputs]


def export(
    folder: Path,
    heads: dict[str, int] | None = None,
    *,
    fault: Fault = lambda outputs: outputs,
    prepared_fault: Fault = lambda outputs: outputs,
    leave_out: str = "",
    pixels: tf.TensorSpec | None = None,
) -> Path:
    """Write a SavedModel with the contract's signatures; faults change what it gives."""
    rng = np.random.default_rng(1)
    module = tf.Module()
    module.trunk = tf.Variable(rng.normal(size=(HEIGHT * WIDTH * 3, DIM)), dtype=tf.float32)
    module.planes = tf.Variable(rng.normal(size=(DIM, BITS)), dtype=tf.float32)
    module.heads = {n: tf.Variable(rng.normal(size=(DIM, k)), dtype=tf.float32) for n, k in (heads or {}).items()}

    def outputs(shown: tf.Tensor) -> Outputs:
        flat = tf.reshape(normalise(shown), (-1, HEIGHT * WIDTH * 3))
        unit = tf.math.l2_normalize(flat @ module.trunk, axis=1)
        bits = tf.reshape(tf.cast(unit @ module.planes > 0, tf.int32), (-1, BITS // 8, 8))
        packed = tf.reduce_sum(bits * [128, 64, 32, 16, 8, 4, 2, 1], axis=2)
        named = {name: tf.nn.softmax(unit @ head) for name, head in module.heads.items()}
        return {"embedding": unit, "hash": tf.cast(packed, tf.uint8), **named}

    size = pixels or tf.TensorSpec([None, HEIGHT, WIDTH, 3], tf.uint8, name="pixels")
    signatures = {
        "serve_pixels": tf.function(lambda shown: fault(outputs(shown)), input_signature=[size]),
        "serve_prepared": tf.function(
            lambda jpegs: prepared_fault(fault(outputs(decode_prepared_batch(jpegs, HEIGHT, WIDTH)))),
            input_signature=[tf.TensorSpec([None], tf.string, name="jpegs")],
        ),
    }
    signatures.pop(leave_out, None)
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder


def name_columns(folder: Path, **other: Any) -> None:
    """Say beside a model what the columns of its heads are."""
    words = {
        "leaves": {leaf: column for column, leaf in enumerate(LEAVES)},
        "levels": [{top: column for column, top in enumerate(TOPS)}],
        "attributes": {"colour": {colour: column for column, colour in enumerate(COLOURS)}},
    }
    (folder / "taxonomy.json").write_text(json.dumps(words | other), encoding="utf-8")
