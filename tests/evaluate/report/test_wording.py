from __future__ import annotations

import pytest

from pipelines.evaluate.gates import judge
from pipelines.evaluate.report.wording import headlines, shown, summary

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
        "No release was live, so there was nothing to compare with.",
    ]


def test_a_failed_release_says_which_gate_and_by_how_much() -> None:
    gates = judge(METRICS, None, [], {"recall.candidates_at_10": 0.995, "retrieval.p_at_10": 0.5}, {})
    assert summary(METRICS, gates, has_live=False)[0] == (
        "The release failed 1 of 2 gates and is not blessed: "
        "recall.candidates_at_10 = 0.991, must be at least 0.995 (evaluate.floors)."
    )


def test_drift_in_plain_words() -> None:
    drift = {"drift.items_new": 0.01, "drift.items_removed": 0.005, "drift.overlap_at_10": 0.93}
    assert summary(METRICS | drift, [], has_live=True)[-1] == (
        "Against the live release, 1.0% of the items are new and 0.5% are gone, and 9.3 of 10 results are the same."
    )


def test_headlines_tell_the_change_and_whether_it_is_better() -> None:
    precision, recall, latency = headlines(METRICS, {"retrieval.p_at_10": 0.8, "latency.plan_p95_ms": 8.0})
    assert (precision.value, precision.change, precision.better) == ("82.0%", "+2.0 points against live", True)
    assert (recall.name, recall.value, recall.change) == ("recall.plan_at_10", "91.4%", "")
    assert (latency.value, latency.change, latency.better) == ("9.0 ms", "+1.0 ms against live", False)
