"""From transformed examples to a SavedModel that is loaded again: one run, looked at from all sides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from tests.trainer.world import make_photos, tiny_trunk
from trainer import fit
from trainer.config import TrainSpec
from trainer.export import Readout, ServingModel
from trainer.hashing import build_hash_head
from trainer.heads import build_heads
from trainer.identity import checksum, part
from trainer.ranking import HeldOut, Ranking
from trainer.trunks import body_of
from trainer.warm_start import load_weights
from transforms.labels import label_preprocessing_fn, raw_feature_spec


@pytest.fixture
def transform_output(spec: TrainSpec, tmp_path: Path) -> str:
    """What the Transform component would write for the labels of the specification."""
    slots = spec.slots()
    schema = schema_utils.schema_from_feature_spec(raw_feature_spec(slots))
    metadata = dataset_metadata.DatasetMetadata(schema)
    row = {
        "item_id": b"a",
        "digest": b"d",
        "role": b"main",
        "image": b"j",
        "leaf": [b"red"],
        "category_0": [b"red"],
        "category_1": [b"red"],
    }
    folder = str(tmp_path / "transform")
    with beam.Pipeline(runner=FnApiRunner()) as pipeline, tft_beam.Context(temp_dir=str(tmp_path / "tft")):
        rows = pipeline | beam.Create([row])
        analysed = (rows, metadata) | tft_beam.AnalyzeDataset(lambda x: label_preprocessing_fn(x, slots=slots))
        _ = analysed | tft_beam.WriteTransformFn(folder)
        _ = metadata | tft_beam.WriteMetadata(f"{folder}/metadata", pipeline=pipeline)
    return folder


@pytest.fixture
def train(records: str, transform_output: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that trains a specification into a folder."""
    monkeypatch.setattr(fit, "build_trunk", lambda *_: tiny_trunk())
    return lambda spec, folder: fit.train_and_export(spec, [records], [records], transform_output, str(folder))


def jpegs() -> list[bytes]:
    pixels = make_photos()[:5]
    return [tf.io.encode_jpeg(one, quality=95, chroma_downsampling=False).numpy() for one in pixels]


def test_a_trained_model_serves_from_its_folder(spec: TrainSpec, train: Any, tmp_path: Path) -> None:
    spec = replace(spec, hash_minutes=0.01)
    metrics = train(spec, tmp_path / "export")
    model = tf.saved_model.load(str(tmp_path / "export"))

    served = model.signatures["serve_prepared"](jpegs=tf.constant(jpegs()))
    assert {name: (value.dtype.name, tuple(value.shape)) for name, value in served.items()} == {
        "embedding": ("float32", (5, 512)),
        "hash": ("uint8", (5, 512)),
        "leaf_probabilities": ("float32", (5, 6)),
        "category_probabilities_0": ("float32", (5, 2)),
        "category_probabilities_1": ("float32", (5, 3)),
    }
    assert np.allclose(np.linalg.norm(served["embedding"], axis=1), 1.0, atol=1e-5)
    for name in ("leaf_probabilities", "category_probabilities_1"):
        assert np.allclose(np.sum(served[name], axis=1), 1.0, atol=1e-5)
    # Slot 3 has two photos, too few; slot 5 has none.
    assert (served["leaf_probabilities"].numpy() > 0).all(axis=0).tolist() == [True, True, True, False, False, False]
    assert not served["leaf_probabilities"].numpy()[:, 3:].any()

    pixels = tf.stack([tf.io.decode_jpeg(one, dct_method="INTEGER_ACCURATE") for one in jpegs()])
    by_pixels = model.signatures["serve_pixels"](pixels=pixels)
    for name, value in served.items():
        assert np.allclose(value, by_pixels[name], atol=1e-5), name

    example = tf.train.Example()
    example.features.feature["image"].bytes_list.value.append(jpegs()[2])
    example.features.feature["item_id"].bytes_list.value.append(b"a")
    example.features.feature["digest"].bytes_list.value.append(b"d")
    example.features.feature["role"].bytes_list.value.append(b"main")
    example.features.feature["category_1"].bytes_list.value.append(b"blue")
    example.features.feature["leaf"].bytes_list.value.append(b"rest")
    text = tf.constant([example.SerializeToString()])
    judged = model.signatures["evaluate"](examples=text)["probabilities"]
    assert np.allclose(judged, served["leaf_probabilities"][2:3], atol=1e-5)
    features = model.signatures["transform_features"](examples=text)
    slots = [int(features[f"{label}_slot"][0]) for label in ("leaf", "category_0", "category_1")]
    assert slots == [4, -1, 2]

    facts = json.loads(Path(spec.work, fit.MODEL_JSON).read_text())
    assert facts["metrics"].keys() == metrics.keys()
    assert facts["trunk_checksum"]["before"] == facts["trunk_checksum"]["after"]
    assert facts["trunk_checksum"]["after"] == checksum(part(load_weights(Path(spec.work, fit.WEIGHTS)), ["trunk"]))
    assert (facts["dim"], facts["bits"], facts["levels"]) == (512, 4096, [[0, 1], [0, 1, 2]])
    assert facts["trained"] == facts["levels"]
    assert (facts["leaf"]["slots"], facts["leaf"]["trained"]) == ([0, 1, 2, 3, 4, 5], [0, 1, 2])
    assert facts["leaf"]["photos"] == 54  # all but the six of leaves that were not learned: too few for a mass below 1
    assert facts["leaf"]["category_mass"] == 1.0
    assert facts["ranking"] is None  # so few photos say nothing of it


def test_what_is_learned_for_the_ranking_is_part_of_the_model(
    spec: TrainSpec, train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[tuple[HeldOut, str, Any]]()

    def learn(weight: float) -> Any:
        return lambda *given: asked.append(given) or Ranking(weight, {}, 60)

    def named(weight: float) -> tuple[str, Any]:
        monkeypatch.setattr(fit, "learn_ranking", learn(weight))
        train(replace(spec, hash_steps=2), tmp_path / "export")
        facts = json.loads(Path(spec.work, fit.MODEL_JSON).read_text())
        return facts["model_id"], facts["ranking"]

    (first, told), (second, _), (third, _) = named(0.25), named(0.5), named(0.25)
    assert told == {"category": 0.25, "attributes": {}, "photos": 60}
    (held_out, leaf, attributes), (again, *_), _ = asked
    assert (leaf, attributes) == ("leaf", {})
    assert held_out.unit.shape == (60, 512)
    assert np.allclose(np.linalg.norm(held_out.unit, axis=1), 1.0, atol=1e-5)
    assert {name: values.shape for name, values in held_out.probabilities.items()} == {
        "leaf": (60, 6), "category_0": (60, 2), "category_1": (60, 3)
    }  # fmt: skip
    assert {name: values.shape for name, values in held_out.slots.items()} == dict.fromkeys(held_out.slots, (60,))
    assert np.array_equal(held_out.unit, again.unit)  # the second went on from the first one's checkpoint
    assert first == third != second


def test_programs_in_c_plus_plus_serve_it_as_python_does(spec: TrainSpec, train: Any, tmp_path: Path) -> None:
    """TensorFlow Serving restores variables by the saver of the graph, not by the tree of objects as Python does."""
    train(replace(spec, hash_minutes=0.01), tmp_path / "export")
    model = tf.saved_model.load(str(tmp_path / "export"))
    expected = model.signatures["serve_prepared"](jpegs=tf.constant(jpegs()))
    photos = jpegs()
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path / "export"))
        signature = loaded.signature_def["serve_prepared"]
        outputs = {name: graph.get_tensor_by_name(each.name) for name, each in signature.outputs.items()}
        found = session.run(outputs, {signature.inputs["jpegs"].name: photos})
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.array_equal(found[name], values), name


def test_the_trunk_is_saved_once(spec: TrainSpec, train: Any, tmp_path: Path) -> None:
    train(replace(spec, hash_minutes=0.01), tmp_path / "export")
    graph = saved_model_pb2.SavedModel.FromString((tmp_path / "export/saved_model.pb").read_bytes())
    functions = graph.meta_graphs[0].graph_def.library.function
    convolutions = [node.name for each in functions for node in each.node_def if node.op == "Conv2D"]
    assert len(convolutions) == len([each for each in tiny_trunk().layers if isinstance(each, keras.layers.Conv2D)])


def test_a_training_begins_with_the_weights_of_a_file(spec: TrainSpec, train: Any, tmp_path: Path) -> None:
    published = body_of(tiny_trunk())
    published.save_weights(tmp_path / "own.weights.h5")
    spec = replace(spec, weights=str(tmp_path / "own.weights.h5"), head_share=0.99, steps=1, hash_minutes=0.01)
    train(spec, tmp_path / "export")
    kept = load_weights(Path(spec.work, fit.WEIGHTS))
    assert {v.path for v in published.variables} > {"conv/kernel", "norm/mean"}
    for variable in published.variables:  # the body has not moved yet
        assert np.array_equal(kept[f"trunk/{variable.path}"], variable.value)


def test_equal_weights_have_one_name_and_the_next_step_another(spec: TrainSpec, train: Any, tmp_path: Path) -> None:
    spec = replace(spec, hash_minutes=0.01)

    def name_of(folder: str, spec: TrainSpec) -> str:
        train(spec, tmp_path / folder)
        return str(json.loads(Path(spec.work, fit.MODEL_JSON).read_text())["model_id"])

    weights = Path(spec.work, fit.WEIGHTS)
    first, arrays = name_of("a", spec), load_weights(weights)
    again = name_of("b", spec)
    assert {name: value.tolist() for name, value in part(load_weights(weights), ["trunk"]).items()} == {
        name: value.tolist() for name, value in part(arrays, ["trunk"]).items()
    }
    assert (first == again) == (checksum(arrays) == checksum(load_weights(weights)))
    other = tmp_path / "other"
    other.mkdir()
    assert name_of("c", replace(spec, checkpoints=str(other), steps=9)) not in {first, again}


def test_attributes_with_a_head_have_probabilities_of_their_own() -> None:
    heads = build_heads({"category_0": 2, "attr_colour": 3})
    readout = Readout({"category_0": np.ones(2, bool), "attr_colour": np.array([True, False, True])}, 1.0)
    model = ServingModel(tiny_trunk(), heads, build_hash_head(), readout)
    found = model.outputs(tf.constant(make_photos()[:4]))
    assert sorted(found) == ["attribute_probabilities_colour", "category_probabilities_0", "embedding", "hash"]
    assert found["attribute_probabilities_colour"].shape == (4, 3)
    assert not found["attribute_probabilities_colour"].numpy()[:, 1].any()
    assert np.allclose(np.sum(found["attribute_probabilities_colour"], axis=1), 1.0, atol=1e-5)
