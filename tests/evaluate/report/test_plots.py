from __future__ import annotations

import base64
import html
import itertools
import math

import pytest

from pipelines.evaluate.report import plots


def text_of(uri: str | None) -> str:
    assert uri is not None
    head, _, data = uri.partition(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(data).decode()


METRICS = {
    "recall.hnsw_at_10": 0.98,
    "recall.hnsw_at_10_lower": 0.97,
    "qps.hnsw": 2500.0,
    "recall.exact_at_10": 1.0,
    "recall.exact_at_10_lower": 0.99,
    "qps.exact": 300.0,
}


def test_recall_against_speed_names_what_was_built() -> None:
    text = text_of(plots.recall_against_speed(METRICS))
    assert "HNSW" in text
    assert "exact search" in text
    assert "IVF" not in text
    assert plots.recall_against_speed({}) is None


@pytest.mark.parametrize(
    ("low", "high"),
    [(1100, 2850), (300, 3600), (0.8, 12), (1, 1e6), (2.0, 2.9), (640, 650), (9_999, 10_001), (95_000, 140_000)],
)
def test_a_logarithmic_axis_has_a_few_labels(low: float, high: float) -> None:
    ticks = plots.ticks_between(low, high)
    assert 2 <= len(ticks) <= 5
    assert all(low <= tick <= high for tick in ticks)
    assert ticks == sorted(set(ticks))
    places = [math.log(tick / low) / math.log(high / low) for tick in ticks]
    assert min(after - before for before, after in itertools.pairwise(places)) > 0.09  # of 5.4 inches


def test_levels_and_attributes_are_bars_with_their_values() -> None:
    metrics = {"retrieval.p_at_10_l1": 0.91, "retrieval.p_at_10_leaf": 0.82, "retrieval.leaf_colour_p_at_10": 0.43}
    text = text_of(plots.retrieval_by_level(metrics))
    assert all(value in text for value in ("0.910", "0.820", "0.430", "leaf and colour"))
    assert plots.retrieval_by_level({"qps.exact": 1.0}) is None


def test_a_deepest_level_equal_to_the_leaf_is_drawn_once() -> None:
    text = text_of(plots.retrieval_by_level({"retrieval.p_at_10_l1": 0.5, "retrieval.p_at_10_leaf": 0.5}))
    assert ">leaf<" in text
    assert ">l1<" not in text


def test_the_lowest_categories_are_drawn_without_those_of_few_queries() -> None:
    leaves = [("shoes > boots", 0.25, 20), ("bags & <more>", 0.5, 5), ("rare", 0.0, 1)]
    text = text_of(plots.by_category(leaves))
    assert "shoes &gt; boots" in text
    assert "bags &amp; &lt;more&gt;" in text
    assert "rare" not in text
    assert "rare" in text_of(plots.by_category(leaves[2:]))  # when all are small
    assert plots.by_category([]) is None


def test_spread_and_curves() -> None:
    assert "categories" in text_of(plots.precision_spread([("a", 0.5, 3)]))
    assert plots.precision_spread([]) is None
    text = text_of(
        plots.learning_curves({"loss": [(1, 2), (2, 1)], "top1.leaf": [(1, 0.1), (2, 0.2)], "learning_rate": [(1, 1)]})
    )
    assert ">loss<" in text
    assert "top1.leaf" in text
    assert "learning rate" not in text
    assert plots.learning_curves({}) is None


def test_a_chart_is_the_same_every_time() -> None:
    assert plots.recall_against_speed(METRICS) == plots.recall_against_speed(METRICS)


def test_names_of_any_script_stay_as_they_are_and_warn_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    names = ["靴 > 長靴", "أحذية", "รองเท้า", "$5 to $10 > a_b", "👟"]
    text = html.unescape(text_of(plots.by_category([(name, 0.5, 9) for name in names])))
    assert all(name in text for name in names)
    assert not [str(warning.message) for warning in recwarn]
