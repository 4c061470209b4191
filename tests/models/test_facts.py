from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import StageError
from pipelines.models.facts import LeafFacts, read_facts
from pipelines.models.signature import category_outputs
from pipelines.models.weights import Weights
from pipelines.store import NotFoundError
from pipelines.store.folder import FolderStore

FACTS: dict[str, Any] = {
    "model_id": "m",
    "space_id": "s",
    "prep_id": "32x24-q95-v1",
    "height": 32,
    "width": 24,
    "dim": 512,
    "bits": 4096,
    "leaf": {"slots": [0, 1, 2, 3], "trained": [0, 3], "temperature": 0.5, "category_mass": 0.98, "photos": 400},
    "levels": [[0], [0, 2, 1]],
    "trained": [[0], [0, 2]],
    "attributes": {"colour": ["red", "blue"]},
    "metrics": {"loss": 1.5},
}


def store_with(folder: Path, facts: dict[str, Any]) -> FolderStore:
    store = FolderStore(folder)
    store.create_json("models/m/model.json", facts)
    return store


def test_facts_are_read(tmp_path: Path) -> None:
    facts = read_facts(store_with(tmp_path, FACTS), "m")
    assert (facts.model_id, facts.space_id, facts.prep_id) == ("m", "s", "32x24-q95-v1")
    assert (facts.height, facts.width, facts.dim, facts.bits) == (32, 24, 512, 4096)
    assert (facts.levels, facts.trained) == (((0,), (0, 2, 1)), ((0,), (0, 2)))
    assert facts.leaf == LeafFacts("leaf_probabilities", (0, 1, 2, 3), (0, 3), 0.98)
    assert facts.attributes == {"colour": ("red", "blue")}
    assert facts.metrics == {"loss": 1.5}
    assert facts.weights is None  # a model of before, or one that has learned none


def test_the_weights_that_it_has_learned_are_read(tmp_path: Path) -> None:
    ranking = {"category": 0, "attributes": {"colour": 0.25}, "photos": 400}
    facts = read_facts(store_with(tmp_path, FACTS | {"ranking": ranking}), "m")
    assert facts.weights == Weights(0.0, {"colour": 0.25})
    assert read_facts(store_with(tmp_path / "none", FACTS | {"ranking": None}), "m").weights is None


@pytest.mark.parametrize("missing", sorted(FACTS.keys() - {"metrics", "leaf"}))
def test_a_missing_fact_is_an_error_that_names_it_and_the_file(tmp_path: Path, missing: str) -> None:
    store = store_with(tmp_path, {name: value for name, value in FACTS.items() if name != missing})
    with pytest.raises(
        StageError, match=rf"models/m/model\.json cannot be used \('{missing}'\); export the model again"
    ):
        read_facts(store, "m")


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": 5},
        {"leaf": {"slots": [0]}},
        {"height": "tall"},
        {"trained": [["first"]]},
        {"attributes": ["red"]},
        {"prep_id": "p"},
        {"ranking": {"category": 1.0}},
        {"ranking": {"category": "much", "attributes": {}}},
    ],
)
def test_a_wrong_fact_is_an_error(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(StageError, match=r"models/m/model\.json cannot be used \(.+\); export the model again"):
        read_facts(store_with(tmp_path, FACTS | wrong), "m")


def test_a_model_without_a_leaf_head_answers_by_its_deepest_level_and_makes_nothing_new(tmp_path: Path) -> None:
    facts = read_facts(store_with(tmp_path, {name: value for name, value in FACTS.items() if name != "leaf"}), "m")
    assert facts.leaf == LeafFacts("category_probabilities_1", (0, 2, 1), (0, 2), None)
    with pytest.raises(StageError, match=r"model m was made before a category at any depth .* `visual-search run`"):
        facts.check_leaves()


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="models/gone"):
        read_facts(FolderStore(tmp_path), "gone")


def test_categories_come_coarsest_first_and_by_number() -> None:
    levels = [f"category_probabilities_{level}" for level in (10, 2, 0)]
    assert category_outputs(["embedding", *levels, "hash"]) == levels[::-1]
    assert category_outputs(["embedding", "category_probabilities"]) == ["category_probabilities"]
