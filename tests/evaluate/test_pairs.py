from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipelines.evaluate.pairs import LEAST_GROUPS, bounded, difference

NAME = "retrieval.p_at_10"


def table(
    values: list[float | None], *, groups: int = 0, leaf: str = "boots", known: bool = True, first: int = 0
) -> pa.Table:
    """Return the scores of queries whose photos are numbered from `first`; by default each is a group of its own."""
    count = len(values)
    return pa.table(
        {
            "digest": pa.array([(first + n).to_bytes(32, "big") for n in range(count)], pa.binary(32)),
            "group": pa.array([(n % (groups or count)).to_bytes(8, "big") for n in range(count)], pa.binary(8)),
            "leaf": [leaf] * count,
            "known": [known] * count,
            "weight": [1.0] * count,
            NAME: pa.array(values, pa.float64()),
        }
    )


def test_only_queries_of_both_are_compared() -> None:
    found = difference(table([0.5] * 40), table([0.4] * 40, first=30), NAME)
    assert found is not None
    assert found.pairs == 10
    assert found.mean == pytest.approx(0.1)
    assert not found.is_bounded  # ten groups tell nothing
    assert difference(table([0.5]), table([0.5], first=1), NAME) is None
    assert difference(table([0.5]), table([0.5]), "retrieval.ndcg_at_10") is None


def test_queries_count_whose_leaf_is_the_same_and_known_to_both() -> None:
    assert difference(table([0.5]), table([0.5], leaf="shoes"), NAME) is None
    assert difference(table([0.5]), table([0.5], known=False), NAME) is None
    assert difference(table([0.5, None, 0.4]), table([0.5, 0.4, None]), NAME).pairs == 1  # type: ignore[union-attr]
    new = [t.rename_columns([*t.column_names[:-1], "unseen.p_at_10"]) for t in (table([0.5], known=False),) * 2]
    assert difference(*new, "unseen.p_at_10") is not None


def test_the_bound_covers_the_true_difference_19_times_of_20() -> None:
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        values = random.normal(-0.02, 0.3, 400)
        groups = pa.chunked_array([pa.array([f"{n}" for n in range(400)])])
        covered += bounded(values, np.ones(400), groups, NAME).lower <= -0.02
    assert covered / 200 == pytest.approx(0.95, abs=0.04)


def test_variants_that_rise_together_are_one_draw_not_ten() -> None:
    """400 queries in 40 groups, all of a group alike, tell as little as 40 queries."""
    random = np.random.default_rng(2)
    of_group = random.normal(0, 0.3, 40)
    ours = table([0.5 + of_group[n % 40] for n in range(400)], groups=40)
    clustered = difference(ours, table([0.5] * 400, groups=40), NAME)
    alone = difference(ours.set_column(1, "group", ours["digest"]), table([0.5] * 400), NAME)
    assert clustered is not None
    assert alone is not None
    assert clustered.groups == 40 >= LEAST_GROUPS
    assert clustered.mean == pytest.approx(alone.mean)
    assert 2.5 < (clustered.mean - clustered.lower) / (alone.mean - alone.lower) < 4  # about the root of ten


def test_equal_releases_differ_by_nothing_and_the_draws_are_the_same_every_day() -> None:
    ours, theirs = table([0.1 * (n % 10) for n in range(60)]), table([0.3] * 60)
    same = difference(ours, ours, NAME)
    assert same is not None
    assert (same.mean, same.lower, same.upper) == (0, 0, 0)
    assert difference(ours, theirs, NAME) == difference(ours, theirs, NAME)
