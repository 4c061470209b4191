"""The exported model, as a query needs it."""

import numpy as np
import pytest

from pipelines.errors import StageError
from pipelines.models.facts import read_facts
from pipelines.models.query_model import by_slot, opened
from transforms.image import prepare
from transforms.photo import PrepSpec


def test_columns_move_to_their_permanent_slots() -> None:
    found = by_slot(np.array([[0.7, 0.2, 0.1]]), [4, 0, 2])
    assert found.dtype == np.float32
    assert found[0] == pytest.approx([0.2, 0, 0.1, 0, 0.7])
    with pytest.raises(
        StageError, match=r"the model has 3 leaf categories, its model\.json names 2 slots; export it again"
    ):
        by_slot(np.zeros((1, 3)), [0, 1])


def test_outputs_of_the_leaves_by_slot(shop) -> None:
    facts = read_facts(shop.store, "m1")
    jpegs = [prepare(path.read_bytes(), PrepSpec.from_prep_id(facts.prep_id)).jpeg for path in shop.photos[:4]]
    with opened(shop.store, facts) as model:
        outputs = model(jpegs)
    assert outputs.embeddings.shape == (4, 192)
    assert np.linalg.norm(outputs.embeddings, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert (outputs.hashes.shape, outputs.hashes.dtype) == ((4, 32), np.uint8)
    assert outputs.probabilities.shape == (4, 8)
    assert outputs.probabilities.argmax(axis=1).tolist() == [5, 2, 7, 0]
