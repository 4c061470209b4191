from __future__ import annotations

import numpy as np
import pytest

from pipelines.evaluate import quality
from pipelines.evaluate.labels import Label
from pipelines.evaluate.model import Slots
from pipelines.evaluate.quality import Relevance
from pipelines.evaluate.queries import Query
from pipelines.evaluate.truth import Top


def query(item: str, *path: str, cross: bool = False, colour: str = "red") -> Query:
    return Query(bytes(32), item, path, {"colour": colour}, "", "main", "", True, cross, ("", -1))


def label(*path: str, colour: str = "red") -> Label:
    return Label("", path, {"colour": colour}, "", ("", -1))


LABELS = {f"boot{n}": label("shoes", "boots") for n in range(10)} | {
    f"bag{n}": label("bags", "totes", colour="blue") for n in range(10)
}
BOOTS, BAGS = [f"boot{n}" for n in range(10)], [f"bag{n}" for n in range(10)]
RELEVANCE = Relevance.of(
    {("shoes", "boots"): 10, ("bags", "totes"): 20}, {("shoes", "boots"): 5, ("bags", "totes"): 20}
)


def test_recall_is_named_and_bounded() -> None:
    truth = Top(np.array([[0.9, 0.8]], np.float32), np.array([[1, 2]]), np.array([[11, 12]], np.uint64))
    found = quality.recall("hnsw", 10, [[12, 99]], truth)
    assert found["recall.hnsw_at_10"] == 0.5
    assert 0 < found["recall.hnsw_at_10_lower"] < 0.5
    nothing = Top(np.full((1, 1), -np.inf, np.float32), np.array([[-1]]), np.zeros((1, 1), np.uint64))
    assert quality.recall("hnsw", 10, [[12]], nothing) == {}


def test_retrieval_worked_by_hand() -> None:
    queries = [query("a", "shoes", "boots"), query("b", "bags", "totes")]
    ten = [BOOTS[:4], [*BAGS[:5], *BOOTS[:5]]]
    found = quality.retrieval("retrieval.", queries, ten, ten, LABELS, RELEVANCE)
    assert found["retrieval.p_at_10"] == pytest.approx(0.45)  # (.4 + .5) / 2
    # The first finds 4 of 5 at once, the second 5 of 20.
    assert found["retrieval.map_at_100"] == pytest.approx((4 / 5 + 5 / 20) / 2)


def test_precision_is_bounded_by_what_a_leaf_holds() -> None:
    queries = [query("a", "shoes", "boots"), query("a", "shoes", "boots", cross=True), query("b", "hats")]
    assert quality.attainable(queries, RELEVANCE)["retrieval.attainable_p_at_10"] == pytest.approx((0.5 + 1 + 0) / 3)


def test_relevance_counts_what_each_kind_of_query_may_find() -> None:
    assert RELEVANCE.total(query("a", "shoes", "boots")) == 5
    assert RELEVANCE.total(query("a", "shoes", "boots", cross=True)) == 10
    assert RELEVANCE.total(query("a", "shoes", "sandals"), 1) == 5
    assert RELEVANCE.total(query("a", "hats")) == 0


def test_levels_are_measured_over_the_queries_that_are_as_deep() -> None:
    queries = [query("a", "shoes", "boots"), query("b", "bags")]
    ten = [BOOTS, BAGS]
    found = quality.retrieval_by_level(queries, ten, ten, LABELS, RELEVANCE)
    assert found["retrieval.p_at_10_l1"] == 1.0
    assert found["retrieval.p_at_10_l2"] == 1.0  # the first alone
    assert found["retrieval.p_at_10_leaf"] == 0.5  # "bags" itself is no leaf of the results


def test_attributes_are_measured_where_the_query_has_a_value() -> None:
    queries = [query("a", "shoes", "boots", colour="red"), query("b", "bags", "totes", colour="")]
    found = quality.retrieval_with("retrieval.", queries, [[*BOOTS[:4], *BAGS[:6]], BAGS], LABELS, ["colour", "size"])
    assert found == {"retrieval.leaf_colour_p_at_10": 0.4}


def test_gain_is_one_for_the_best_order_that_the_gallery_allows() -> None:
    asked = [query("a", "shoes", "boots")]
    best = [*BOOTS[:5]]  # five are there, and nothing else of shoes
    assert quality.gain(asked, [best], LABELS, RELEVANCE) == {"retrieval.ndcg_at_10": pytest.approx(1.0)}
    assert quality.gain(asked, [BAGS], LABELS, RELEVANCE) == {"retrieval.ndcg_at_10": 0.0}


def test_the_worst_categories_are_pooled_and_named() -> None:
    queries = [query("a", "shoes", "boots")] * 5 + [query("b", "bags", "totes")] * 5
    found, names = quality.worst_categories(queries, [1.0] * 5 + [0.2] * 5)
    assert found == {"retrieval.worst_decile_p_at_10": pytest.approx(0.2)}
    assert names == ["bags > totes"]
    assert quality.by_leaf(queries[:1], [0.5]) == {"leaf.shoes > boots.p_at_10": 0.5, "leaf.shoes > boots.queries": 1.0}
    assert quality.worst_categories([], []) == ({}, [])


def test_same_item_hits_need_another_photo_in_the_gallery() -> None:
    queries = [query("boot0", cross=True), query("boot3", cross=True), query("x", cross=True), query("boot1")]
    found = quality.same_item(queries, [BOOTS] * 4, [True, True, False, True])
    assert found == {"retrieval.same_item_hit_at_1": 0.5, "retrieval.same_item_hit_at_5": 1.0}
    assert quality.same_item(queries[3:], [BOOTS], [True]) == {}


def test_categories_by_level_and_leaf() -> None:
    levels = [{"shoes": 0, "bags": 1}, {"shoes > boots": 0, "bags > totes": 1, "bags > new": 2}]
    slots = Slots({"shoes > boots": 3, "bags > totes": 0, "bags > new": 1, "bags": 2}, levels)
    queries = [query("a", "shoes", "boots"), query("b", "bags", "totes"), query("c", "bags", "new"), query("d", "bags")]
    predicted = [[0, 0, 3], [1, 0, 3], [0, 1, 0], [1, 1, 2]]
    found = quality.categories(queries, predicted, slots, frozenset({0, 2, 3}))
    assert found["category.l1_top1"] == 0.75
    assert found["category.l2_top1"] == pytest.approx(1 / 3)
    assert found["category.leaf_top1"] == 0.5  # boots right, totes wrong, new wrong, bags (a leaf too) right
    assert found["category.leaf_macro_all"] == 0.5
    assert "category.leaf_macro" not in found  # no category has ten queries
    assert found["category.unknown"] == 0.25


def test_a_leaf_without_a_slot_is_wrong_and_unknown() -> None:
    slots = Slots({"shoes": 0}, [{"shoes": 0}])
    found = quality.categories([query("a", "shoes", "boots", "ankle")], [[0, -1]], slots, frozenset({0}))
    assert found["category.l1_top1"] == 1.0
    assert found["category.leaf_top1"] == 0.0
    assert found["category.unknown"] == 1.0
