from __future__ import annotations

import pytest

from pipelines.evaluate.gates import judge
from pipelines.evaluate.report.wording import headlines, shown, summary, worst_tenth

METRICS = {
    "queries.count": 1200.0,
    "queries.held_out": 1200.0,
    "gallery.results": 44072.0,
    "gallery.photos": 43000.0,
    "recall.plan_at_10": 0.914,
    "recall.candidates_at_10": 0.991,
    "latency.plan_p50_ms": 4.26,
    "latency.plan_p95_ms": 9.0,
    "retrieval.p_at_10": 0.82,
    "retrieval.attainable_p_at_10": 0.99,
}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "share", "–"),
        (0.98765, "share", "0.988"),
        (12345.0, "photos", "12,345"),
        (1234.5, "queries/s", "1,234"),
        (7.25, "queries/s", "7.2"),
        (3.14159, "ratio", "3.1 ×"),
        (3.14159, "ms", "3.1 ms"),
    ],
)
def test_numbers_are_shown_by_their_unit(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_the_first_release_in_plain_words() -> None:
    gates = judge(METRICS, None, [], {"recall.candidates_at_10": 0.9}, {})
    assert summary(METRICS, gates, has_live=False) == [
        "The release may go live: it passed its only gate.",
        "It was asked 1,200 queries, photos kept out of training, in a gallery of 44,072 items with 43,000 distinct "
        "photos.",
        "Of the true best 10 results the query plan finds 9.1 on average, in 4.3 ms for a single query; before it "
        "re-ranks them, 9.9.",
        "Of 10 results, 8.2 on average are of the query's own category, of 9.9 that could be.",
    ]


def test_a_failed_release_says_which_gate_and_by_how_much() -> None:
    gates = judge(METRICS, None, [], {"recall.candidates_at_10": 0.995, "retrieval.p_at_10": 0.5}, {})
    assert summary(METRICS, gates, has_live=False)[0] == (
        "The release failed 1 of 2 gates and is not blessed: "
        "recall.candidates_at_10 = 0.991, must be at least 0.995 (evaluate.floors)."
    )


def test_drift_in_plain_words() -> None:
    drift = {"drift.found_new": 0.01, "drift.found_removed": 0.005, "drift.overlap_at_10": 0.93}
    assert summary(METRICS | drift, [], has_live=True)[-1] == (
        "Against the live release, 1.0% of the items that a search can find are new and 0.5% are gone, and 9.3 of 10 "
        "results are the same."
    )


def test_headlines_tell_the_change_and_whether_it_is_better() -> None:
    precision, recall, latency = headlines(METRICS, {"retrieval.p_at_10": 0.8, "latency.plan_p95_ms": 8.0})
    assert (precision.value, precision.change, precision.better) == ("82.0%", "+2.0 points against live", True)
    assert (recall.name, recall.value, recall.change) == ("recall.plan_at_10", "91.4%", "")
    assert (latency.value, latency.change) == ("9.0 ms", "")  # the live one's was another day's, under another load


STREET = METRICS | {
    "queries.held_out": 418.0,
    "queries.for.retrieval.p_at_10": 418.0,
    "retrieval.same_item_hit_at_1": 0.07,
    "retrieval.same_item_hit_at_5": 0.33,
    "queries.for.retrieval.same_item_hit_at_1": 43.0,
    "queries.for.retrieval.same_item_hit_at_5": 43.0,
    "queries.for.recall.plan_at_10": 1200.0,
}


def test_sentences_tell_how_many_queries_they_rest_on_where_these_are_not_all() -> None:
    sentences = summary(STREET, [], has_live=False)
    assert sentences[1].startswith("It was asked 1,200 queries, 418 of them photos kept out of training, in a gallery")
    assert sentences[3].endswith("are of the query's own category, of 9.9 that could be (418 queries).")
    assert sentences[4] == (
        "The 43 photos of roles that the gallery does not hold, such as street photos, find their very item first in "
        "7% of the cases, in the first five in 33%."
    )


def test_headlines_tell_how_many_queries_they_rest_on_where_these_are_not_all() -> None:
    captions = {card.name: card.caption for card in headlines(STREET, None)}
    assert captions["retrieval.same_item_hit_at_5"] == "find the very item in the first 5 (43 queries)"
    assert captions["retrieval.p_at_10"] == "of 10 results share the category (418 queries)"
    assert captions["recall.plan_at_10"] == "of the true best 10 are found"


def test_the_worst_tenth_is_told_with_its_queries_or_why_it_is_not() -> None:
    worst = {"retrieval.worst_decile_p_at_10": 0.25, "queries.for.retrieval.worst_decile_p_at_10": 44.0}
    assert worst_tenth(METRICS | worst) == (
        "The worst tenth of those with 5 queries or more in a half of all, chosen by one half and measured by the "
        "other, pooled, has a P@10 of 0.250 (44 queries)."
    )
    assert worst_tenth(METRICS) == (
        "What the worst tenth of them comes to was not measured: it needs 20 held-out queries or more in each half, of "
        "which one chooses the worst categories and the other measures them, and categories with queries in both."
    )
