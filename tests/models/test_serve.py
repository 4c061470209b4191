from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pipelines.models.facts import read_facts
from pipelines.models.outputs import QueryOutputs
from pipelines.models.query_model import joined, largest_difference, read_photos, serve, without_retired
from pipelines.store import NotFoundError, UnitTable
from pipelines.store.folder import FolderStore
from pipelines.tables.absences import Retired
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS
from tests.models.model_json import model_json

PREP = "16x16-q95-v1"


def jpeg(grey: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (16, 16), (grey, grey, grey)).save(sink, "JPEG", quality=95)
    return sink.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    for unit, greys in (("u1", [0, 64]), ("u2", [128])):
        rows = [
            {"digest": bytes([grey]) * 32, "image": jpeg(grey), "width": 16, "height": 16, "phash": bytes(8)}
            for grey in greys
        ]
        keys = [{"digest": row["digest"], "code": "", "row": n, "phash": bytes(8)} for n, row in enumerate(rows)]
        data = pa.Table.from_pylist(rows, IMAGE_DATA)
        UnitTable(store, f"images/{PREP}").commit(unit, pa.Table.from_pylist(keys, IMAGE_KEYS), data)
    return store


def test_photos_come_in_the_order_asked_for(store: FolderStore) -> None:
    assert read_photos(store, PREP, [("u2", 0), ("u1", 1), ("u1", 0)]) == [jpeg(128), jpeg(64), jpeg(0)]
    with pytest.raises(NotFoundError):
        read_photos(store, PREP, [("gone", 0)])


def test_batches_are_joined_with_what_they_have() -> None:
    parts = [QueryOutputs(np.ones((2, 3), np.float32)), QueryOutputs(np.zeros((1, 3), np.float32))]
    assert joined(parts).embeddings.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]
    assert joined(parts).hashes is None
    hashed = [
        QueryOutputs(p.embeddings, np.zeros((len(p), 2), np.uint8), np.ones((len(p), 4), np.float32)) for p in parts
    ]
    assert joined(hashed).hashes is not None
    assert joined(hashed).probabilities.shape == (3, 4)  # type: ignore[union-attr]


def test_the_largest_difference_is_over_all_dimensions() -> None:
    assert largest_difference(np.array([[1.0, 0.5]]), np.array([[0.75, 0.625]])) == 0.25


def test_the_exported_model_is_run_on_the_prepared_photos(store: FolderStore, tmp_path: Path) -> None:
    import tensorflow as tf

    class Model(tf.Module):
        """Embeds by the mean grey, and gives two categories."""

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve_prepared(self, jpegs: tf.Tensor) -> dict[str, tf.Tensor]:
            def decode(data: tf.Tensor) -> tf.Tensor:
                return tf.reduce_mean(tf.cast(tf.io.decode_jpeg(data, 3), tf.float32)) / 255

            grey = tf.map_fn(decode, jpegs, fn_output_signature=tf.float32)[:, None]
            embedding = tf.concat([grey, tf.sqrt(1 - grey**2)], 1)
            return {"embedding": embedding, "leaf_probabilities": tf.concat([grey, 1 - grey], 1)} | {
                "attribute_probabilities_shade": tf.concat([1 - grey, grey], 1)
            }

    model = Model()
    folder = str(tmp_path / "saved")
    tf.saved_model.save(model, folder, signatures={"serve_prepared": model.serve_prepared})
    store.stage_out(Path(folder), "models/m/saved_model")
    facts = model_json("m", prep_id=PREP, levels=[[2, 0]], attributes={"shade": ["dark", "light"]})
    store.create("models/m/model.json", json.dumps(facts).encode())
    outputs = serve(store, read_facts(store, "m"), PREP, [("u2", 0), ("u1", 0)])
    np.testing.assert_allclose(outputs.embeddings[:, 0], [128 / 255, 0], atol=0.01)
    assert outputs.attributes["shade"].values == ("dark", "light")
    np.testing.assert_allclose(outputs.attributes["shade"].probabilities, [[127 / 255, 128 / 255], [1, 0]], atol=0.01)
    # Column 0 is of slot 2, column 1 of slot 0; nobody has slot 1.
    np.testing.assert_allclose(outputs.probabilities, [[127 / 255, 0, 128 / 255], [1, 0, 0]], atol=0.01)
    # What no item has had for long gets no probability; the others share what it had.
    gone = read_facts(store, "m").without(Retired(frozenset({2, 7}), (frozenset({2}),)))
    assert (gone.leaf.trained, gone.trained) == ((0,), ((0,),))
    outputs = serve(store, gone, PREP, [("u2", 0), ("u1", 0)])
    np.testing.assert_allclose(outputs.probabilities, [[1, 0, 0], [1, 0, 0]], atol=0.01)


def test_retired_categories_share_out_their_probability() -> None:
    probabilities = np.array([[0.5, 0.25, 0.25], [1, 0, 0]], np.float32)
    np.testing.assert_allclose(without_retired(probabilities, {0}), [[0, 0.5, 0.5], [0, 0, 0]])
    np.testing.assert_allclose(without_retired(probabilities, {5}), probabilities)
    np.testing.assert_allclose(probabilities, [[0.5, 0.25, 0.25], [1, 0, 0]])
