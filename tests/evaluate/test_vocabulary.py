from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.config import EvaluateSection
from pipelines.evaluate.vocabulary import (
    METRICS,
    UnknownMetricError,
    as_markdown,
    check_documented,
    check_gate_names,
    describe,
    queries_for,
)


def test_the_page_is_what_the_vocabulary_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "metrics.md"
    assert page.read_text(encoding="utf-8") == as_markdown(), (
        "write it again: python -c "
        "'from pipelines.evaluate.vocabulary import as_markdown; print(as_markdown(), end=\"\")'"
    )


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("recall.hnsw_at_10", "higher"),
        ("recall.plan_at_100_lower", "higher"),
        ("retrieval.leaf_colour_p_at_10", "higher"),
        ("retrieval.hamming_leaf_base colour_p_at_10", "higher"),
        ("category.l3_top1", "higher"),
        ("latency.plan_p95_ms", "lower"),
        ("leaf.shoes > boots.p_at_10", "higher"),
        ("ledger.embed_in", ""),
    ],
)
def test_families_match_their_members(name: str, better: str) -> None:
    assert describe(name).better == better


@pytest.mark.parametrize("name", ["recall.hnsw_at_20", "recall.faiss_at_10", "retrieval", "qps.", "category.l0_top1"])
def test_other_names_are_errors(name: str) -> None:
    with pytest.raises(UnknownMetricError, match=f"there is no metric '{name}'"):
        describe(name)


def test_an_unknown_gate_names_the_near_and_the_known_ones() -> None:
    with pytest.raises(UnknownMetricError) as error:
        check_gate_names(["retrieval.p_at_01"])
    assert "did you mean 'retrieval.p_at_10'?" in str(error.value)
    assert "recall.plan_at_{k}" in str(error.value)


def test_a_count_cannot_be_a_gate() -> None:
    with pytest.raises(UnknownMetricError, match=r"'queries\.count' only counts, it cannot be a gate"):
        check_gate_names(["queries.count"])


def test_the_default_gates_are_metrics() -> None:
    section = EvaluateSection()
    check_gate_names([*section.floors, *section.margins])


def test_what_is_measured_must_be_documented() -> None:
    check_documented(["qps.exact"])
    with pytest.raises(UnknownMetricError):
        check_documented(["qps.exact", "made.up"])


def test_no_two_metrics_have_one_name() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)


def test_every_meaning_stands_by_itself() -> None:
    """Gates tell one meaning alone, where nothing stands above it that it could refer to."""
    for metric in METRICS:
        assert not metric.meaning.startswith(("the same", "its ", "the second", "the mean of that")), metric.name
        assert not re.search(r"\b(of|by) the same$|\bof them,|\bhow many they|: its ", metric.meaning), metric.name


def test_how_many_queries_a_metric_rests_on_is_told_by_its_name() -> None:
    metrics = {"queries.for.retrieval.same_item_hit_at_5": 43.0}
    check_documented(metrics)
    assert queries_for(metrics, "retrieval.same_item_hit_at_5") == 43
    assert queries_for(metrics, "retrieval.p_at_10") is None
