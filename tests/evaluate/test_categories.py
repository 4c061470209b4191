from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.evaluate.categories import (
    Slots,
    any_learned,
    attribute_columns,
    category_columns,
    first_named,
    macro_means,
    predicted_leaves,
    seen_in_training,
    slots_of,
)
from pipelines.evaluate.quality import Columns
from pipelines.evaluate.queries import Query
from pipelines.evaluate.scores import Scores
from pipelines.models.facts import read_facts
from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.store.folder import FolderStore
from tests.models.model_json import model_json


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def query(item: str, *path: str) -> Query:
    return Query(bytes(32), item, path, {}, "", "main", "", True, False, ("", -1))


def add_model(store: FolderStore, levels: list[list[int]]) -> None:
    store.create_json("models/m/model.json", model_json("m", levels=levels))


def scored(queries: list[Query], columns: Columns) -> dict[str, float]:
    scores = Scores(queries)
    for name, values in columns.items():
        scores.add(name, values)
    return scores.means() | macro_means(scores)


def test_categories_by_level_and_leaf() -> None:
    levels = [{"shoes": 0, "bags": 1}, {"shoes > boots": 0, "bags > totes": 1, "bags > new": 2}]
    slots = Slots({"shoes > boots": 3, "bags > totes": 0, "bags > new": 1, "bags": 2}, levels)
    queries = [query("a", "shoes", "boots"), query("b", "bags", "totes"), query("c", "bags", "new"), query("d", "bags")]
    predicted = [[0, 0, 3], [1, 0, 3], [0, 1, 0], [1, 1, 2]]
    found = scored(queries, category_columns(queries, predicted, slots, [{0, 1}, {0, 1}, {0, 2, 3}]))
    assert found["category.l1_top1"] == 0.75
    assert found["category.l2_top1"] == pytest.approx(1 / 3)
    assert found["category.leaf_top1"] == 0.5  # boots right, totes wrong, new wrong, bags (a leaf too) right
    assert found["category.leaf_macro_all"] == 0.5
    assert "category.leaf_macro" not in found  # no category has ten queries
    assert found["category.unknown"] == 0.25


def test_the_best_category_that_is_not_retired_is_named() -> None:
    assert [first_named([4, 2, 7], gone) for gone in (set(), {4}, {4, 2}, {4, 2, 7})] == [4, 2, 7, -1]


def test_a_leaf_without_a_slot_is_wrong_and_unknown() -> None:
    queries, slots = [query("a", "shoes", "boots", "ankle")], Slots({"shoes": 0}, [{"shoes": 0}])
    found = scored(queries, category_columns(queries, [[0, -1]], slots, [{0}, {0}]))
    assert found["category.l1_top1"] == 1.0
    assert found["category.leaf_top1"] == 0.0
    assert found["category.unknown"] == 1.0


def test_a_level_or_leaves_of_which_none_was_learned_are_not_asked() -> None:
    """Of equal probabilities the first slot is the highest, so that some would be right."""
    queries, slots = [query("a", "shoes", "boots")], Slots({"shoes > boots": 0}, [{"shoes": 0}, {"shoes > boots": 0}])
    found = scored(queries, category_columns(queries, [[0, 0, 0]], slots, [{0}, set(), set()]))
    assert {name for name in found if "top1" in name or "macro" in name} == {
        "category.l1_top1",
        "category.l1_macro_all",
    }
    assert found["category.unknown"] == 1.0


def test_heads_of_attributes_are_judged_by_the_values_that_they_know() -> None:
    queries = [replace(query("a"), attributes={"colour": value}) for value in ("red", "blue", "teal", "")]
    head = AttributeScores(["blue", "red"], np.array([[0.1, 0.9], [0.2, 0.8], [1, 0], [1, 0]], np.float32))
    found = attribute_columns(queries, {"colour": head})
    assert found["attribute.colour_top1"] == [1.0, 0.0, None, None]
    assert found["attribute.colour_unknown"] == [0.0, 0.0, 1.0, None]
    assert "attribute.colour_macro" not in scored(queries, found)
    many = queries[:1] * 10 + queries[1:2] * 10
    head = AttributeScores(["blue", "red"], np.array([[0, 1]] * 20, np.float32))
    assert scored(many, attribute_columns(many, {"colour": head}))["attribute.colour_macro"] == 0.5


def test_the_predicted_leaf_is_told_in_words() -> None:
    outputs = QueryOutputs(np.zeros((2, 1), np.float32), None, np.array([[0.1, 0.9], [0.8, 0.2]], np.float32))
    assert predicted_leaves(outputs, Slots({"boots": 1}, [])) == ["boots", ""]
    assert predicted_leaves(QueryOutputs(np.zeros((1, 1), np.float32)), Slots({}, [])) == [""]


def test_leaves_are_unseen_that_are_newer_or_were_held_out(store: FolderStore) -> None:
    add_model(store, [[0, 1]])
    slots = Slots({"boots": 0, "totes": 1, "new": 2}, [])
    queries = [query("a", "boots"), query("b", "totes"), query("c", "new"), query("d", "newest")]
    assert seen_in_training(store, read_facts(store, "m"), slots, queries) == [True, True, False, False]
    facts = store.read_json("models/m/model.json")
    store.create_json("models/n/model.json", facts | {"model_id": "n", "lineage": {"held_out_leaves": 1.0}})
    assert seen_in_training(store, read_facts(store, "n"), slots, queries) == [False] * 4


def test_slots_are_cut_to_the_models_levels(store: FolderStore) -> None:
    store.create_json(
        "taxonomy/00000001.json", {"leaves": {"a > b": 0}, "levels": [{"a": 0}, {"a > b": 0}], "attributes": {}}
    )
    add_model(store, [[0, 2]])
    slots = slots_of(store, read_facts(store, "m"))
    assert slots == Slots({"a > b": 0}, [{"a": 0}])
    assert (slots.leaf(["a", "b"]), slots.leaf(["a"])) == (0, -1)
    assert slots.words([0, 7]) == {"a > b"}


def test_levels_that_the_taxonomy_lacks_are_empty(store: FolderStore) -> None:
    add_model(store, [[0], [0]])
    assert slots_of(store, read_facts(store, "m")).levels == [{}, {}]


def test_a_model_that_has_learned_none_of_todays_leaves_is_told_from_one_that_has_learned_some(
    store: FolderStore,
) -> None:
    store.create_json("models/m/model.json", model_json("m", levels=[[0, 1, 2]], trained=[[2]]))
    model, slots = read_facts(store, "m"), Slots({"boots": 0, "clogs": 1, "lamps": 2}, [])
    assert not any_learned([("boots",), ("clogs",), ("new",)], slots, model)
    assert any_learned([("boots",), ("lamps",)], slots, model)
    assert any_learned([], slots, model)
