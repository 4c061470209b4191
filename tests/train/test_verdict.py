"""What the Evaluator is asked: the gates, with and without a live model to compare with."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.train.tfx_pipeline import build_pipeline
from pipelines.train.verdict import TOLERANCE, eval_config
from trainer.config import TrainSpec


@pytest.fixture(autouse=True, scope="module")
def tfx_first() -> None:
    """TFX is what first imports TensorFlow Model Analysis, as in a training; imported alone it is not whole."""
    from tfx import v1  # noqa: F401


@pytest.fixture
def spec(tmp_path: Path) -> TrainSpec:
    leaves = {"shoes > boots": 0, "shoes > clogs": 1, "shoes": 2}
    taxonomy = {"leaves": leaves, "levels": [{"shoes": 0}, {"shoes > boots": 0, "shoes > clogs": 1}], "attributes": {}}
    (tmp_path / "taxonomy.json").write_text(json.dumps(taxonomy))
    folders = {name: str(tmp_path / name) for name in ("examples", "work", "checkpoints")}
    named = {"taxonomy": str(tmp_path / "taxonomy.json"), "prep_id": "24x16-q95-v1"}
    gates = {"min_accuracy": 0.6, "max_accuracy_drop": 0.05}
    return TrainSpec(height=24, width=16, **folders, **named, **gates)


def gate(spec: TrainSpec) -> Any:
    """Return the threshold of the accuracy on all held-out photos."""
    accuracy = eval_config(spec).metrics_specs[0].metrics[1]
    (threshold,) = accuracy.per_slice_thresholds
    return threshold.threshold


def test_the_gate_is_on_the_leaf(spec: TrainSpec) -> None:
    (model,) = eval_config(spec).model_specs
    assert model.label_key == "leaf_slot"
    assert gate(spec).value_threshold.lower_bound.value == pytest.approx(0.6)


def test_a_first_model_has_the_absolute_gate_alone(spec: TrainSpec) -> None:
    assert not gate(spec).HasField("change_threshold")


@pytest.mark.parametrize("parent", [None, "models/live"])
def test_a_drop_against_the_live_model_is_gated_warm_start_or_not(spec: TrainSpec, parent: str | None) -> None:
    change = gate(replace(spec, parent=parent, baseline="models/live")).change_threshold
    assert change.absolute.value == pytest.approx(-0.05 - TOLERANCE, abs=1e-9)


def test_starting_from_a_model_alone_is_no_comparison(spec: TrainSpec) -> None:
    assert not gate(replace(spec, parent="models/live")).HasField("change_threshold")


@pytest.mark.parametrize("baseline", [None, "models/live"])
def test_the_evaluator_is_given_the_live_model(spec: TrainSpec, baseline: str | None) -> None:
    components = {node.id: node for node in build_pipeline(replace(spec, baseline=baseline)).components}
    assert ("LiveModel" in components) == (baseline is not None)
    assert ("baseline_model" in components["Evaluator"].inputs) == (baseline is not None)
