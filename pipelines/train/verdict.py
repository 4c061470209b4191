"""The Evaluator's question and its answer: the config of its gates, and what it found in our words.

Only the overall slice is gated; the slices by top-level category are reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainer.config import LEAF, TrainSpec, level_label
from trainer.tfx_module.module import GATE_WEIGHT
from transforms.labels import slot_feature

ACCURACY, COUNT = "sparse_categorical_accuracy", "example_count"
SLICE_BY = level_label(0)
TOLERANCE = 1e-6  # TFMA wants "better than" the bound; a drop of exactly the bound is allowed
NAMES = {ACCURACY: "accuracy", COUNT: "examples"}


def eval_config(spec: TrainSpec) -> Any:
    """Return the tfma.EvalConfig: count and accuracy of the leaf, the gates on the overall slice alone."""
    import tensorflow_model_analysis as tfma
    from tensorflow_model_analysis.proto import config_pb2

    metrics = [
        tfma.MetricConfig(class_name="ExampleCount"),
        tfma.MetricConfig(
            class_name="SparseCategoricalAccuracy",
            per_slice_thresholds=[
                config_pb2.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=_threshold(spec))
            ],
        ),
    ]
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="evaluate",
                label_key=slot_feature(LEAF),
                example_weight_key=GATE_WEIGHT,
                preprocessing_function_names=["transform_features"],
            )
        ],
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=[SLICE_BY])],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
        options=config_pb2.Options(include_default_metrics={"value": False}),
    )


def _threshold(spec: TrainSpec) -> Any:
    import tensorflow_model_analysis as tfma

    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": spec.min_accuracy})
    )
    if spec.baseline:
        threshold.change_threshold.CopyFrom(
            tfma.GenericChangeThreshold(
                direction=tfma.MetricDirection.HIGHER_IS_BETTER,
                absolute={"value": -spec.max_accuracy_drop - TOLERANCE},
            )
        )
    return threshold


def refusal(evaluation: Path, spec: TrainSpec) -> str | None:
    """Return why the Evaluator refused the model, with metric, value and bound; None when it blessed it."""
    import tensorflow_model_analysis as tfma

    result = tfma.load_validation_result(str(evaluation))
    if result.validation_ok:
        return None
    failures = [failure for part in result.metric_validations_per_slice for failure in part.failures]
    reasons = [_reason(failure, spec) for failure in failures]
    return "; ".join(reasons) or f"the Evaluator found nothing to judge: {str(result).strip()}"


def _reason(failure: Any, spec: TrainSpec) -> str:
    metric = f"{NAMES.get(failure.metric_key.name, failure.metric_key.name)} of {LEAF}"
    value = failure.metric_value.double_value.value
    if failure.message.strip() == "Metric not found.":
        return f"{metric} was not measured; are there any held-out examples with a category?"
    if failure.metric_key.is_diff:
        return (
            f"{metric} changed by {value:+.4f} against the live model, "
            f"over the bound train.max_accuracy_drop = {spec.max_accuracy_drop:g}"
        )
    return f"{metric} is {value:.4f}, under the bound train.min_accuracy = {spec.min_accuracy:g}"


def evaluator_metrics(evaluation: Path) -> dict[str, float]:
    """Return what the Evaluator measured: `gate.accuracy`, `gate.examples`, and the same of the live model and slices.

    Names are `gate[.live].<metric>[.<top-level category>]`; shares of the examples whose label is known.
    """
    import tensorflow_model_analysis as tfma

    found: dict[str, float] = {}
    for record in tfma.load_metrics(str(evaluation)):
        slice_name = "".join(f".{_text(key)}" for key in record.slice_key.single_slice_keys)
        if slice_name == ".":  # examples without a category: no label, no weight
            continue
        for name, value in _values(record):
            found[f"{name}{slice_name}"] = value
    return dict(sorted(found.items()))


def _values(record: Any) -> Iterator[tuple[str, float]]:
    for entry in record.metric_keys_and_values:
        value = entry.value.double_value.value
        if entry.key.name in NAMES and not entry.key.is_diff and math.isfinite(value):
            yield f"gate{'.live' if entry.key.model_name == 'baseline' else ''}.{NAMES[entry.key.name]}", value


def _text(key: Any) -> str:
    return str(key.bytes_value.decode("utf-8", "replace"))
