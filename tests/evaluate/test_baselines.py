from __future__ import annotations

import pytest

from pipelines.evaluate.baselines import any_of_predicted_leaf, of_leaves
from pipelines.evaluate.labels import Label
from pipelines.evaluate.quality import Judge, Relevance
from pipelines.evaluate.queries import Query


def query(*path: str, colour: str = "red") -> Query:
    return Query(bytes(32), "q", path, {"colour": colour}, "", "main", "", True, False, ("", -1))


def label(*path: str, colour: str) -> Label:
    return Label("", path, {"colour": colour}, "", ("", -1))


LABELS = {f"boot{n}": label("shoes", "boots", colour="red" if n < 3 else "blue") for n in range(12)} | {
    f"bag{n}": label("bags", colour="red") for n in range(4)
}


def test_ten_of_the_named_leaf_are_right_where_its_name_is() -> None:
    judge = Judge(LABELS, Relevance.of({}, {("shoes", "boots"): 12, ("bags",): 4}), ["colour"])
    queries = [query("shoes", "boots"), query("bags"), query("bags"), query("shoes", "boots", colour="")]
    predicted = ["shoes > boots", "bags", "shoes > boots", "hats"]
    found = any_of_predicted_leaf(queries, predicted, of_leaves(LABELS), judge)
    # boots: ten of twelve, all boots; bags: there are four; a bag taken for a boot: none; hats: nothing was drawn
    assert found["retrieval.leaf_baseline_p_at_10"] == [1.0, 0.4, 0.0, None]
    assert found["retrieval.leaf_baseline_leaf_colour_p_at_10"] == [pytest.approx(3 / 12), 0.4, 0.0, None]
