from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipelines.evaluate import quality
from pipelines.evaluate.labels import Label
from pipelines.evaluate.quality import Columns, Judge, Relevance
from pipelines.evaluate.queries import Query
from pipelines.evaluate.scores import Scores


def means(columns: Columns) -> dict[str, float]:
    """Return the means of the columns that say something."""
    there = {name: [value for value in values if value is not None] for name, values in columns.items()}
    return {name: float(np.mean(values)) for name, values in there.items() if values}


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


JUDGE = Judge(LABELS, RELEVANCE, ["colour", "size"])


def test_retrieval_worked_by_hand() -> None:
    queries = [query("a", "shoes", "boots"), query("b", "bags", "totes")]
    ten = [BOOTS[:4], [*BAGS[:5], *BOOTS[:5]]]
    assert JUDGE.precision("retrieval.", queries, ten)["retrieval.p_at_10"] == [0.4, 0.5]
    # The first finds 4 of 5 at once, the second 5 of 20.
    assert JUDGE.average_precision(queries, ten) == [pytest.approx(4 / 5), pytest.approx(5 / 20)]


def test_precision_is_bounded_by_what_a_leaf_holds() -> None:
    queries = [query("a", "shoes", "boots"), query("a", "shoes", "boots", cross=True), query("b", "hats")]
    assert JUDGE.attainable(queries)["retrieval.attainable_p_at_10"] == [0.5, 1, 0]


def test_relevance_counts_what_each_kind_of_query_may_find() -> None:
    assert RELEVANCE.total(query("a", "shoes", "boots")) == 5
    assert RELEVANCE.total(query("a", "shoes", "boots", cross=True)) == 10
    assert RELEVANCE.total(query("a", "shoes", "sandals"), 1) == 5
    assert RELEVANCE.total(query("a", "hats")) == 0


def test_levels_are_measured_over_the_queries_that_are_as_deep() -> None:
    queries = [query("a", "shoes", "boots"), query("b", "bags")]
    found = means(JUDGE.by_level(queries, [BOOTS, BAGS], [BOOTS, BAGS]))
    assert found["retrieval.p_at_10_l1"] == 1.0
    assert found["retrieval.p_at_10_l2"] == 1.0  # the first alone
    assert found["retrieval.p_at_10_leaf"] == 0.5  # "bags" itself is no leaf of the results


def test_attributes_are_measured_where_the_query_has_a_value() -> None:
    queries = [query("a", "shoes", "boots", colour="red"), query("b", "bags", "totes", colour="")]
    found = JUDGE.precision("x.", queries, [[*BOOTS[:4], *BAGS[:6]], BAGS])
    assert found["x.leaf_colour_p_at_10"] == [0.4, None]
    assert found["x.leaf_size_p_at_10"] == [None, None]


def test_gain_is_one_for_the_best_order_that_the_gallery_allows() -> None:
    asked = [query("a", "shoes", "boots")]
    best = [*BOOTS[:5]]  # five are there, and nothing else of shoes
    assert JUDGE.gain(asked, [best]) == {"retrieval.ndcg_at_10": [pytest.approx(1.0)]}
    assert JUDGE.gain(asked, [BAGS]) == {"retrieval.ndcg_at_10": [0.0]}


def test_the_worst_categories_are_those_of_the_other_half() -> None:
    groups = [bytes([n]) for n in range(40)]  # odd and even ones choose for each other
    queries = [replace(query("a", "shoes", "boots"), group=group) for group in groups]
    queries += [replace(query("b", "bags", "totes"), group=group) for group in groups]
    scores = Scores(queries)
    scores.add("retrieval.p_at_10", [1.0] * 40 + [0.2] * 40)
    quality.add_worst_leaves(scores)
    assert scores.means()["retrieval.worst_decile_p_at_10"] == pytest.approx(0.2)
    assert np.isnan(scores.columns["retrieval.worst_decile_p_at_10"][:40]).all()
    leaves = quality.by_leaf(scores)
    assert leaves["leaf.shoes > boots.p_at_10"] == 1.0
    assert leaves["leaf.bags > totes.queries"] == 40.0


def test_same_item_hits_need_another_photo_in_the_gallery() -> None:
    queries = [query("boot0"), query("boot3"), query("x")]
    found = quality.same_item("x.", queries, [BOOTS] * 3, [True, True, False])
    assert found == {"x.same_item_hit_at_1": [1.0, 0.0, None], "x.same_item_hit_at_5": [1.0, 1.0, None]}


def test_unseen_leaves_are_measured_apart() -> None:
    scores = Scores([query("a", "shoes"), query("b", "bags")])
    scores.add("retrieval.p_at_10", [0.8, 0.3])
    quality.add_unseen(scores, [True, False])
    assert scores.means()["unseen.p_at_10"] == 0.3
    assert "unseen.map_at_100" not in scores.columns
    quality.add_unseen(scores, [True, True])
    assert "unseen.p_at_10" not in scores.means()


def test_few_queries_tell_no_worst_tenth() -> None:
    """Of 39, one half holds 19: by so few the worst of one half may be the best of the other."""
    queries = [replace(query("a", "shoes", "boots"), group=bytes([n])) for n in range(39)]
    scores = Scores(queries)
    scores.add("retrieval.p_at_10", [n / 39 for n in range(39)])
    quality.add_worst_leaves(scores)
    assert "retrieval.worst_decile_p_at_10" not in scores.columns


def test_each_metric_tells_how_many_queries_it_was_measured_on() -> None:
    scores = Scores([query("a", "shoes", "boots")] * 3)
    scores.add("retrieval.p_at_10", [0.1, 0.2, 0.3])
    scores.add("retrieval.same_item_hit_at_5", [None, 1.0, None])
    scores.add("retrieval.cold_same_item_hit_at_5", [None, None, None])
    assert scores.counts() == {"queries.for.retrieval.p_at_10": 3.0, "queries.for.retrieval.same_item_hit_at_5": 1.0}
