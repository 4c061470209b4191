from __future__ import annotations

from pipelines.evaluate.gates import blessed, judge, refusal


def test_floors_are_lower_bounds_where_higher_is_better_and_upper_ones_elsewhere() -> None:
    metrics = {"recall.plan_at_10": 0.95, "latency.plan_p95_ms": 40.0}
    floors = {"recall.plan_at_10": 0.95, "latency.plan_p95_ms": 30.0}
    latency, recall = judge(metrics, None, floors, {})
    assert recall.passed
    assert not latency.passed
    assert latency.sentence() == "latency.plan_p95_ms = 40, must be at most 30 (evaluate.floors)"


def test_a_floor_on_what_was_not_measured_fails_and_says_so() -> None:
    gates = judge({}, None, {"retrieval.p_at_10": 0.5}, {})
    assert not blessed(gates)
    assert refusal(gates) == (
        "the release is not blessed: retrieval.p_at_10: could not be measured, and evaluate.floors asks for 0.5"
    )


def test_the_first_run_has_no_baseline_and_says_so() -> None:
    (gate,) = judge({"recall.plan_at_10": 0.1}, None, {}, {"recall.plan_at_10": 0.02})
    assert gate.passed
    assert gate.note == "no live release yet, nothing to compare with"
    assert refusal([gate]) is None


def test_margins_compare_with_live_in_the_better_direction() -> None:
    live = {"retrieval.p_at_10": 0.80, "latency.plan_p95_ms": 10.0, "drift.centroid": 0.5}
    margins = {"retrieval.p_at_10": 0.05, "latency.plan_p95_ms": 5.0}
    exactly = {"retrieval.p_at_10": 0.75, "latency.plan_p95_ms": 15.0}
    assert blessed(judge(exactly, live, {}, margins))
    worse = {"retrieval.p_at_10": 0.7499, "latency.plan_p95_ms": 15.1}
    failed = judge(worse, live, {}, margins)
    assert [gate.passed for gate in failed] == [False, False]
    assert "retrieval.p_at_10 = 0.7499, must be at least 0.75 (live has 0.8, margin 0.05)" in (refusal(failed) or "")
    assert [gate.bound for gate in failed] == [15.0, 0.75]


def test_a_margin_on_what_only_live_has_measured_fails() -> None:
    (gate,) = judge({}, {"retrieval.p_at_10": 0.8}, {}, {"retrieval.p_at_10": 0.05})
    assert not gate.passed
    (other,) = judge({"retrieval.p_at_10": 0.1}, {}, {}, {"retrieval.p_at_10": 0.05})
    assert other.passed
    assert other.note == "the live release did not measure it"


def test_gates_are_written_with_all_that_promote_tells_of_them() -> None:
    (gate,) = judge({"recall.plan_at_10": 0.5}, None, {"recall.plan_at_10": 0.9}, {})
    assert gate.as_dict() == {
        "metric": "recall.plan_at_10",
        "rule": "floor",
        "value": 0.5,
        "bound": 0.9,
        "passed": False,
        "note": "evaluate.floors",
    }
