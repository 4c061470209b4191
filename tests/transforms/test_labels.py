"""Labels through TensorFlow Transform, with every number worked out by hand."""

import pickle

import apache_beam as beam
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from transforms.labels import PASSED_THROUGH, label_preprocessing_fn, raw_feature_spec, slot_feature

# "Bags" was never seen in this data, "Hats" has no slot yet; slot 2 belongs to a category that was removed.
SLOTS = {
    "category_1": {"Shoes": 0, "Bags": 1, "Belts": 3},
    "category_2": {"Shoes > Boots": 0, "Shoes > Sandals": 1},
    "attr_colour": {},
}
ROWS = [  # item_id, category_1, category_2
    ("a", "Shoes", "Shoes > Boots"),
    ("b", "Shoes", "Shoes > Sandals"),
    ("c", "Shoes", ""),
    ("d", "Belts", ""),
    ("e", "Hats", ""),
    ("f", None, None),
]


def example(item_id, category_1, category_2):
    name = item_id.encode()
    optional = {"category_1": category_1, "category_2": category_2, "attr_colour": "red"}
    raw = {"item_id": name, "digest": b"\x00\xff" + name, "role": b"main", "image": b"\xff\xd8" + name}
    return raw | {feature: [] if value is None else [value] for feature, value in optional.items()}


def preprocessing_fn(inputs):
    return label_preprocessing_fn(inputs, slots=SLOTS)


@pytest.fixture(scope="module")
def transformed(tmp_path_factory):
    """The rows by item_id, and the folder of the transform function."""
    folder = tmp_path_factory.mktemp("tft")
    spec = raw_feature_spec(SLOTS)
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    with beam.Pipeline(runner=FnApiRunner()) as p, tft_beam.Context(temp_dir=str(folder / "tmp")):
        raw = (p | beam.Create([example(*row) for row in ROWS]), metadata)
        (data, _), transform_fn = raw | tft_beam.AnalyzeAndTransformDataset(preprocessing_fn)
        _ = transform_fn | tft_beam.WriteTransformFn(str(folder / "fn"))
        _ = data | beam.combiners.ToList() | beam.Map(lambda rows: (folder / "rows").write_bytes(pickle.dumps(rows)))
    return {row["item_id"].decode(): row for row in pickle.loads((folder / "rows").read_bytes())}, folder / "fn"


def column(transformed, name):
    rows, _ = transformed
    return [rows[item_id][name] for item_id in "abcdef"]


def test_values_get_their_permanent_slots_and_unknown_ones_minus_one(transformed):
    assert column(transformed, "category_1_slot") == [0, 0, 0, 3, -1, -1]
    assert column(transformed, "category_2_slot") == [0, 1, -1, -1, -1, -1]


def test_a_label_without_taxonomy_is_unknown_everywhere(transformed):
    assert column(transformed, "attr_colour_slot") == [-1] * 6


def test_identity_and_photos_pass_through_byte_by_byte(transformed):
    assert column(transformed, "image") == [b"\xff\xd8" + item_id for item_id in (b"a", b"b", b"c", b"d", b"e", b"f")]
    assert column(transformed, "digest")[0] == b"\x00\xffa"


def test_the_saved_transform_gives_the_same_slots_to_new_rows(transformed):
    _, folder = transformed
    layer = tft.TFTransformOutput(str(folder)).transform_features_layer()
    new = {
        "item_id": tf.constant([b"x", b"y"]),
        "digest": tf.constant([b"x", b"y"]),
        "role": tf.constant([b"main", b"main"]),
        "image": tf.constant([b"x", b"y"]),
        "category_1": tf.sparse.from_dense([["Belts"], ["Nothing"]]),
        "category_2": tf.sparse.from_dense([["Shoes > Sandals"], [""]]),
        "attr_colour": tf.sparse.from_dense([["red"], ["red"]]),
    }
    found = layer(new)
    assert found["category_1_slot"].numpy().tolist() == [3, -1]
    assert found["category_2_slot"].numpy().tolist() == [1, -1]
    assert set(found) == {*PASSED_THROUGH, *map(slot_feature, SLOTS)}  # what nothing reads is not computed


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ({"attr_size": {}}, "the examples have no attr_size; they have item_id"),
        ({"item_id": {"a": -1}}, "item_id: slot -1 is negative"),
        ({"item_id": {"a": 4, "b": 4}}, "item_id: two values share a slot"),
    ],
)
def test_impossible_tables_are_refused(slots, message):
    inputs = {"item_id": tf.constant([b"a"])}
    with pytest.raises(ValueError, match=message):
        label_preprocessing_fn(inputs, slots=slots)
