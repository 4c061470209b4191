"""What the TFX components call: `preprocessing_fn` (Transform) and `run_fn` (Trainer). Wiring only.

Both are told where a TrainSpec is by `custom_config={"spec": path or gs:// URI}`. It must not know about losses or
stores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import tensorflow as tf

from trainer.config import LEAF, TrainSpec
from transforms.labels import label_preprocessing_fn, slot_feature

METRICS: Final = "metrics.json"
GATE_WEIGHT: Final = "gate_weight"


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, str]) -> dict[str, Any]:
    """Return the transformed features of a batch: those of `label_preprocessing_fn`, and `gate_weight`.

    `gate_weight` is float32 [batch]: 1 where the leaf, which the Evaluator judges, is known, else 0.
    """
    spec = TrainSpec.load(custom_config["spec"])
    outputs = label_preprocessing_fn(inputs, slots=spec.slots())
    return {**outputs, GATE_WEIGHT: tf.cast(outputs[slot_feature(LEAF)] >= 0, tf.float32)}


def run_fn(fn_args: Any) -> None:
    """Train, export the model to where the Trainer wants it, and write its metrics to the model's run folder."""
    from trainer.fit import train_and_export
    from trainer.work import local_work

    with local_work(TrainSpec.load(fn_args.custom_config["spec"])) as spec:
        metrics = train_and_export(
            spec,
            _files(fn_args.train_files),
            _files(fn_args.eval_files),
            fn_args.transform_output,
            fn_args.serving_model_dir,
        )
    tf.io.gfile.makedirs(fn_args.model_run_dir)
    with tf.io.gfile.GFile(f"{fn_args.model_run_dir}/{METRICS}", "w") as file:
        file.write(json.dumps(metrics, indent=1, sort_keys=True))


def _files(patterns: list[str]) -> list[str]:
    return sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
