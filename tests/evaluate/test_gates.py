from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.evaluate.gates import Rival, blessed, lead_over_colours, refusal
from pipelines.evaluate.gates import judge as judge_beside
from pipelines.evaluate.pairs import Difference, difference
from pipelines.releases.gate import Gate, tally


def judge(
    metrics: dict[str, float], live: dict[str, float] | None, floors: dict[str, float], margins: dict[str, float]
) -> list[Gate]:
    """Judge beside a live release of which nothing but its metrics is known."""
    return judge_beside(metrics, None if live is None else Rival("r0", live), [], floors, margins)


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
    assert gate.note == "no release was live then, so there was none to compare with"
    assert refusal([gate]) is None


def test_margins_compare_with_live_in_the_better_direction() -> None:
    live = {"retrieval.p_at_10": 0.80, "latency.plan_p95_ms": 10.0, "drift.centroid": 0.5}
    margins = {"retrieval.p_at_10": 0.05, "latency.plan_p95_ms": 5.0}
    exactly = {"retrieval.p_at_10": 0.75, "latency.plan_p95_ms": 15.0}
    assert blessed(judge(exactly, live, {}, margins))
    worse = {"retrieval.p_at_10": 0.7499, "latency.plan_p95_ms": 15.1}
    failed = judge(worse, live, {}, margins)
    assert [gate.passed for gate in failed] == [False, False]
    assert "retrieval.p_at_10 = 0.7499, must be at least 0.75 (release r0, live then, has 0.8, margin 0.05)" in (
        refusal(failed) or ""
    )
    assert [gate.bound for gate in failed] == [15.0, 0.75]


def test_a_margin_on_what_only_live_has_measured_fails() -> None:
    (gate,) = judge({}, {"retrieval.p_at_10": 0.8}, {}, {"retrieval.p_at_10": 0.05})
    assert not gate.passed
    (other,) = judge({"retrieval.p_at_10": 0.1}, {}, {}, {"retrieval.p_at_10": 0.05})
    assert other.passed
    assert other.note == "release r0, live then, did not measure it"


def test_gates_are_written_with_all_that_promote_tells_of_them() -> None:
    (gate,) = judge({"recall.plan_at_10": 0.5}, None, {"recall.plan_at_10": 0.9}, {})
    assert gate.as_dict() == {
        "metric": "recall.plan_at_10",
        "rule": "floor",
        "value": 0.5,
        "bound": 0.9,
        "passed": False,
        "note": "evaluate.floors",
        "paired": False,
        "least": True,
    }


NAME = "retrieval.p_at_10"


def rival(mean: float, lower: float, *, groups: int = 400, of: str = "r0", value: float = 0.8) -> Rival:
    return Rival(of, {NAME: value}, {NAME: Difference(mean, lower, mean + mean - lower, groups + 12, groups)})


def test_a_margin_is_asked_of_the_bound_on_the_same_queries() -> None:
    (gate,) = judge_beside({NAME: 0.7}, rival(-0.01, -0.049), [], {}, {NAME: 0.05})
    assert gate.passed  # though the means of the two days are .1 apart
    (gate,) = judge_beside({NAME: 0.81}, rival(-0.01, -0.051), [], {}, {NAME: 0.05})
    assert not gate.passed
    assert gate.sentence() == (
        "retrieval.p_at_10: -0.01 beside release r0, live then, on 412 queries of both; "
        "-0.051 at worst (95 %), must be at least -0.05"
    )


def test_a_difference_tells_from_what_to_what() -> None:
    pair = Difference(-0.0143, -0.0238, 0.001, 63, 60, theirs=0.998)
    (gate,) = judge_beside({NAME: 0.7}, Rival("r0", {}, {NAME: pair}), [], {}, {NAME: 0.02})
    assert gate.sentence() == (
        "retrieval.p_at_10: from 0.998 to 0.9837 (-0.0143) beside release r0, live then, on 63 queries of both; "
        "-0.0238 at worst (95 %), must be at least -0.02"
    )


def test_where_lower_is_better_the_upper_bound_counts() -> None:
    live = Rival("live", {}, {"category.unknown": Difference(0.01, -0.02, 0.04, 500, 400)})
    assert judge_beside({"category.unknown": 0.1}, live, [], {}, {"category.unknown": 0.04})[0].passed
    assert not judge_beside({"category.unknown": 0.1}, live, [], {}, {"category.unknown": 0.039})[0].passed


def test_too_few_pairs_are_said_and_compared_by_value() -> None:
    (gate,) = judge_beside({NAME: 0.76}, rival(-0.01, -0.3, groups=12), [], {}, {NAME: 0.05})
    assert gate.passed
    assert gate.note == "release r0, live then, has 0.8, margin 0.05; 12 products in common, 30 are needed for a bound"


def test_the_worst_verdict_beside_the_last_releases_is_told() -> None:
    earlier = [rival(0.0, -0.01, of="r3"), rival(-0.06, -0.08, of="r2"), rival(-0.02, -0.03, of="r1")]
    live, anchor = judge_beside({NAME: 0.8}, rival(0.0, -0.01), earlier, {}, {NAME: 0.05})
    assert live.passed
    assert (anchor.rule, anchor.passed, anchor.value) == ("anchor", False, -0.08)
    assert "beside release r2" in anchor.note
    assert len(judge_beside({NAME: 0.8}, rival(0.0, -0.01), [Rival("old", {})], {}, {NAME: 0.05})) == 1


def test_ten_accepted_days_do_not_lose_half() -> None:
    """A shop whose search loses .03 a day, each day within the margin of the day before."""
    random = np.random.default_rng(3)
    queries = 600
    quality = np.clip(random.normal(0.8, 0.15, queries), 0, 1)
    days: list[tuple[str, pa.Table]] = []
    for day in range(10):
        seen = np.clip(quality - 0.03 * day + random.normal(0, 0.05, queries), 0, 1)
        table = pa.table(
            {
                "digest": pa.array([n.to_bytes(32, "big") for n in range(queries)], pa.binary(32)),
                "group": pa.array([(n // 2).to_bytes(8, "big") for n in range(queries)], pa.binary(8)),
                "leaf": ["boots"] * queries,
                "known": [True] * queries,
                "weight": [1.0] * queries,
                NAME: seen,
            }
        )
        mean = float(seen.mean())
        rivals = [
            Rival(name, {NAME: float(np.mean(earlier[NAME]))}, {NAME: found})
            for name, earlier in reversed(days)
            if (found := difference(table, earlier, NAME)) is not None
        ]
        gates = judge_beside({NAME: mean}, rivals[0] if rivals else None, rivals[1:], {}, {NAME: 0.05})
        if not blessed(gates):
            break
        days.append((f"day-{day}", table))
    assert gates[0].passed  # yesterday's release would have let it through
    assert len(days) == 2  # .06 below the first is over the margin
    assert [gate.rule for gate in gates if not gate.passed] == ["anchor"]


def test_a_first_release_must_lead_over_colour_histograms() -> None:
    near = lead_over_colours(Difference(0.06, 0.04, 0.08, 300, 250), 0.05)
    assert not near.passed
    assert near.sentence() == (
        "histogram.gain = 0.04, must be at least 0.05 (evaluate.histogram_margin; +0.06 on 300 queries, 95 % bound)"
    )
    assert lead_over_colours(Difference(0.3, 0.25, 0.35, 300, 250), 0.05).passed
    few = lead_over_colours(None, 0.05)
    assert few.passed
    assert few.sentence().startswith("histogram.gain: needs held-out photos with a category")


def test_gates_of_one_metric_say_what_each_compares_with() -> None:
    gates = judge_beside({NAME: 0.8}, rival(0.0, -0.01), [rival(0.0, -0.02, of="r1")], {NAME: 0.5}, {NAME: 0.05})
    assert [gate.comparison for gate in gates] == [
        "floor",
        "beside the release then live",
        "beside the best of the last releases",
    ]


def test_a_gate_that_compared_nothing_is_named_and_not_counted_as_passed() -> None:
    """The first release of a shop without attributes, whose photos all have one role."""
    margins = {NAME: 0.05, "retrieval.leaf_{attribute}_p_at_10": 0.05, "retrieval.same_item_hit_at_5": 0.05}
    gates = judge_beside({NAME: 0.8}, None, [], {NAME: 0.5}, margins)
    assert blessed(gates)
    assert [gate.verdict for gate in gates] == ["passed", "not asked", "not asked", "not asked"]
    assert tally(gates) == (
        "1 of 4 gates; 1 had no live release to compare with; 2 were not asked "
        "(retrieval.leaf_{attribute}_p_at_10, retrieval.same_item_hit_at_5)"
    )
    assert tally(gates[:1]) == "its only gate"
    assert tally([gates[0], gates[0]]) == "all 2 gates"


def test_gates_on_the_worst_tenth_are_open_where_few_queries_cannot_tell_it() -> None:
    name = "retrieval.worst_decile_p_at_10"
    gates = [*judge({}, None, {name: 0.5}, {name: 0.1}), *judge({}, {name: 0.9}, {}, {name: 0.1})]
    assert [gate.verdict for gate in gates] == ["not asked"] * 3
    assert {gate.note for gate in gates} == {
        "needs 20 held-out queries or more in each half, of which one chooses the worst categories and the other "
        "measures them, and categories with queries in both"
    }


def test_what_could_not_be_measured_is_told_by_words_that_stand_alone() -> None:
    (gate,) = judge({}, None, {}, {"retrieval.cold_same_item_hit_at_5": 0.1})
    assert gate.sentence() == (
        "retrieval.cold_same_item_hit_at_5: there was nothing to measure it on: queries with another photo of their "
        "item in the gallery that find it in the first 5, their own photo left out"
    )
