from __future__ import annotations

import math

import numpy as np
import pytest

from pipelines.evaluate.metrics import (
    average_precision_at,
    bounded_mean,
    by_group,
    cross_fitted_worst,
    hit_at,
    macro_mean,
    mean,
    ndcg_at,
    overlap_at,
    percentiles,
    precision_at,
    recall_at,
    wilson_lower,
    worst_groups,
)
from pipelines.evaluate.queries import Query
from pipelines.evaluate.scores import Scores


def test_precision_counts_missing_results_as_wrong() -> None:
    assert precision_at([True, False, True, True], 4) == 0.75
    assert precision_at([True, True], 10) == 0.2
    assert precision_at([True, False, True], 1) == 1.0


def test_average_precision_worked_by_hand() -> None:
    # Relevant at ranks 1, 3 and 4: (1/1 + 2/3 + 3/4) / min(5, 4).
    assert average_precision_at([True, False, True, True], 5, 4) == pytest.approx((1 + 2 / 3 + 3 / 4) / 4)
    # Only two exist: both found at once is perfect, whatever follows.
    assert average_precision_at([True, True, False], 2, 3) == 1.0
    assert average_precision_at([False, False], 3, 2) == 0.0
    assert average_precision_at([False], 0, 10) is None


def test_recall_is_the_share_of_the_true_first_k() -> None:
    truth, scores = ["a", "b", "c", "d"], [0.9, 0.8, 0.7, 0.6]
    assert recall_at(["b", "x", "a"], truth, scores, 3) == pytest.approx(2 / 3)
    assert recall_at(["d", "c", "b", "a"], truth, scores, 2) == 0.0  # only the first 2 found count: d and c
    assert recall_at(["a"], ["a"], [0.9], 10) == 1.0  # there is but one to find
    assert recall_at(["a"], [], [], 10) is None


def test_recall_does_not_punish_the_order_of_equals() -> None:
    # b and c score the same, so either may be second.
    assert recall_at(["a", "c"], ["a", "b", "c"], [0.9, 0.5, 0.5], 2) == 1.0
    assert recall_at(["a", "c"], ["a", "b", "c"], [0.9, 0.5, 0.4], 2) == 0.5


def test_wilson_bound_of_a_textbook_case() -> None:
    # 8 of 10: (0.8 + 3.8415/20 - 1.96 sqrt(0.16/10 + 3.8415/400)) / (1 + 0.38415) = 0.4902.
    assert wilson_lower(0.8, 10) == pytest.approx(0.4902, abs=1e-4)
    # All of n: n / (n + z^2).
    assert wilson_lower(1.0, 100) == pytest.approx(100 / (100 + 1.959964**2), abs=1e-6)
    assert wilson_lower(0.0, 5) == 0.0
    assert wilson_lower(0.5, 0) == 0.0


def test_bounded_mean_holds_mean_bound_and_count() -> None:
    found = bounded_mean([1.0, 0.5, 1.0, 0.5])
    assert (found.value, found.count) == (0.75, 4)
    assert found.lower == pytest.approx(wilson_lower(0.75, 4))
    assert bounded_mean([]).value == 0.0


def test_bound_covers_the_truth_nine_times_in_ten_and_more() -> None:
    random = np.random.default_rng(5)
    draws = random.binomial(10, 0.93, size=(400, 50)) / 10  # per query recall@10 with mean .93
    below = [bounded_mean(row).lower <= 0.93 for row in draws]
    assert np.mean(below) > 0.95


def test_ndcg_worked_by_hand() -> None:
    # Gains 1, 0, .5 against the ideal 1, .5: (1 + 0.5/log2(4)) / (1 + 0.5/log2(3)).
    assert ndcg_at([1, 0, 0.5], [0.5, 1], 3) == pytest.approx(1.25 / (1 + 0.5 / math.log2(3)))
    assert ndcg_at([0, 0], [1], 2) == 0.0
    assert ndcg_at([0, 0], [], 2) is None


def test_hits_and_overlaps() -> None:
    assert hit_at(["a", "b"], "b", 2)
    assert not hit_at(["a", "b"], "b", 1)
    assert overlap_at(["a", "b", "c"], ["c", "a", "x"], 2) == 0.5
    assert overlap_at(["a", "b"], ["a"], 10) == 0.5  # the longer list has two
    assert overlap_at([], [], 10) is None


def test_means_over_groups() -> None:
    values, groups = [1.0, 0.0, 1.0, 1.0, 0.0], ["a", "a", "b", "b", "c"]
    assert by_group(values, groups) == {"a": [1.0, 0.0], "b": [1.0, 1.0], "c": [0.0]}
    assert macro_mean(values, groups) == pytest.approx((0.5 + 1 + 0) / 3)
    assert macro_mean(values, groups, at_least=2) == 0.75
    assert macro_mean(values, groups, at_least=9) is None
    assert mean([None, 1.0, 0.0]) == 0.5
    assert mean([None]) is None


def test_the_worst_groups_are_the_lowest_by_their_means() -> None:
    groups = {"a": [1.0] * 5, "b": [0.2, 0.4, 0.2, 0.4, 0.3], "tiny": [0.0]} | {f"g{n}": [0.9] * 5 for n in range(9)}
    assert worst_groups(groups, 0.1, 5) == ["b", "g0"]  # of 11 groups of five or more, a tenth is 2
    assert worst_groups({"a": [1.0], "b": [0.5]}, 0.1, 5) == ["b"]  # all are small
    assert worst_groups({}, 0.1, 5) == []


def test_the_worst_of_equal_groups_are_no_worse_than_the_others() -> None:
    """100 leaves of one quality: those that look worst by chance must not make the shop look bad."""
    random = np.random.default_rng(5)
    groups = np.repeat(np.arange(100), 10).tolist()
    values = random.choice([0.0, 1.0], len(groups)).tolist()
    half = random.choice([False, True], len(groups))
    found = cross_fitted_worst(values, groups, half, 0.1, 5)
    chosen_by_themselves = worst_groups(by_group(values, groups), 0.1, 5)
    naive = np.mean([value for value, group in zip(values, groups, strict=True) if group in chosen_by_themselves])
    assert naive < 0.3
    assert np.mean([values[n] for n in found]) == pytest.approx(0.5, abs=0.1)


def test_a_leaf_that_is_worse_is_found_by_both_halves() -> None:
    groups, values = ["bad"] * 20 + ["good"] * 20, [0.1] * 20 + [0.9] * 20
    assert cross_fitted_worst(values, groups, [n % 2 == 0 for n in range(40)], 0.1, 5) == list(range(20))
    assert cross_fitted_worst([], [], [], 0.1, 5) == []


def test_weights_make_the_mean_and_narrow_nothing_that_is_not_there() -> None:
    found = bounded_mean([1.0, 0.0], [3.0, 1.0])
    assert found.value == 0.75
    # Kish: (3 + 1)^2 / (9 + 1) = 1.6 values at full weight.
    assert found.lower == pytest.approx(wilson_lower(0.75, 1.6))


def test_percentiles_interpolate() -> None:
    assert percentiles([0, 10], (50, 95)) == [5.0, 9.5]


@pytest.mark.parametrize("value", [-0.2, -1.0, 1.0, 1.5])
def test_a_mean_of_differences_has_no_share_s_bound(value: float) -> None:
    """With many queries the bound of a share below 0 cannot be told, and nobody asks for it."""
    scores = Scores([Query(bytes(32), "a", (), {}, "", "main", "", True, False, ("", -1))] * 300)
    scores.add("baseline.histogram_gain", [value] * 300)
    assert scores.means() == {"baseline.histogram_gain": pytest.approx(value)}
