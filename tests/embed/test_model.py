from pathlib import Path

import numpy as np
import pytest

from pipelines.embed.model import Embedder, InferenceError
from pipelines.errors import StageError
from pipelines.models.facts import read_facts
from pipelines.models.imported import import_model
from pipelines.store.folder import FolderStore
from tests.embed.world import GREEN, RED, World, drawn, jpeg
from tests.models.foreign import HEIGHT, PREP, WIDTH, export
from transforms.pixels import decode_prepared


@pytest.fixture
def model(world: World) -> Embedder:
    return Embedder(world.store, read_facts(world.store, "model-a"))


def test_outputs_have_the_shapes_that_are_kept(model: Embedder) -> None:
    outputs = model(model.decode([drawn(n) for n in range(5)])[0])
    assert outputs.embedding.shape == (5, 16)
    np.testing.assert_allclose(np.linalg.norm(outputs.embedding, axis=1), 1, atol=1e-5)
    assert (outputs.hash.shape, outputs.hash.dtype) == ((5, 4), np.uint8)
    assert outputs.slots.shape == outputs.probabilities.shape == (5, 9)
    assert set(outputs.slots[:, :2].ravel()) == {0, 1}
    assert outputs.slots[:, 2].tolist() == [-1] * 5  # the first level has two categories
    assert set(outputs.slots[:, 3:6].ravel()) <= {5, 3, 4, 9}
    assert (np.diff(outputs.probabilities[:, 3:6]) <= 0).all()
    assert set(outputs.slots[:, 6:].ravel()) == {2, 0, 1}  # leaves come last


def test_decoding_equals_pillow_and_bad_photos_have_codes(model: Embedder) -> None:
    photos = [drawn(1), b"<html>", drawn(2), jpeg((1, 2, 3), (5, 5)), b""]
    pixels, codes = model.decode(photos)
    assert codes == ["", "bad_image", "", "bad_image", "bad_image"]
    np.testing.assert_array_equal(pixels[2], decode_prepared(drawn(2)))
    assert not pixels[1].any()
    np.testing.assert_array_equal(model.decode([drawn(2)])[0][0], decode_prepared(drawn(2)))


def test_a_failure_of_the_model_is_an_inference_error(model: Embedder) -> None:
    with pytest.raises(InferenceError, match="a red photo"):
        model(model.decode([drawn(1), jpeg(RED)])[0])


def test_an_embedding_that_is_not_finite_is_handed_on(model: Embedder) -> None:
    assert model(model.decode([jpeg(GREEN), drawn(1)])[0]).finite().tolist() == [False, True]


def test_outputs_that_model_json_does_not_describe_are_an_error(world: World) -> None:
    world.add_model("model-b", levels=[[0, 1], [2, 3]])
    with pytest.raises(
        StageError, match=r"category outputs of \[2, 4, 3\] columns, its model.json names \[2, 2, 3\] slots"
    ):
        Embedder(world.store, read_facts(world.store, "model-b"))


def test_a_model_that_names_no_leaves_has_none_of_them(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    kept = import_model(store, export(tmp_path / "bare"), PREP)
    bare = Embedder(store, read_facts(store, kept["model_id"]))
    outputs = bare(np.random.default_rng(1).integers(0, 256, (2, HEIGHT, WIDTH, 3)).astype(np.uint8))
    assert outputs.slots.tolist() == [[-1, -1, -1], [-1, -1, -1]]
    assert outputs.probabilities.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert outputs.finite().all()
