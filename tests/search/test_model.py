"""The exported model, as a query needs it."""

import numpy as np
import pytest

from pipelines.search.model import QueryModel, by_slot, read_facts
from pipelines.stage import StageError
from transforms.image import prepare
from transforms.photo import PrepSpec


def test_columns_move_to_their_permanent_slots() -> None:
    found = by_slot(np.array([[0.7, 0.2, 0.1]]), [4, 0, 2])
    assert found.dtype == np.float32
    assert found[0] == pytest.approx([0.2, 0, 0.1, 0, 0.7])
    with pytest.raises(
        StageError, match=r"the model has 3 categories .* its model\.json names 2 slots; export it again"
    ):
        by_slot(np.zeros((1, 3)), [0, 1])


def test_outputs_of_the_finest_level_by_slot(shop) -> None:
    facts = read_facts(shop.store, "m1")
    jpegs = [prepare(path.read_bytes(), facts.spec).jpeg for path in shop.photos[:4]]
    outputs = QueryModel(shop.store, facts)(jpegs)
    assert outputs.embeddings.shape == (4, 192)
    assert np.linalg.norm(outputs.embeddings, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert (outputs.hashes.shape, outputs.hashes.dtype) == ((4, 32), np.uint8)
    assert outputs.probabilities.shape == (4, 8)
    assert outputs.probabilities.argmax(axis=1).tolist() == [5, 2, 7, 0]


def test_facts(shop) -> None:
    facts = read_facts(shop.store, "m1")
    assert (facts.model_id, facts.space_id, facts.spec) == ("m1", "m1", PrepSpec(32, 32))
    assert facts.levels == ((3,), (5, 2, 7, 0))
    shop.store.create_json("models/m9/model.json", {"model_id": "m9", "levels": [[1]], "prep_id": "32x32-q95-v1"})
    with pytest.raises(
        StageError, match=r"models/m9/model\.json cannot be used \('space_id'\); export the model again"
    ):
        read_facts(shop.store, "m9")
