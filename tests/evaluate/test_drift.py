from __future__ import annotations

import numpy as np
import pytest

from pipelines.evaluate import drift


def test_shares_of_items_new_and_gone() -> None:
    # 8 of ours, 10 of theirs, 6 in both: 2 of 8 are new, 4 of 10 are gone.
    assert drift.shares("items", {"ours": 8, "theirs": 10, "both": 6}) == {
        "drift.items_new": 0.25,
        "drift.items_removed": 0.4,
    }
    assert drift.shares("items", {"ours": 0, "theirs": 0, "both": 0}) == {}


def test_cosine_distances() -> None:
    assert drift.cosine_distance([2, 0], [0, 3]) == pytest.approx(1.0)
    assert drift.cosine_distance([1, 1], [2, 2]) == pytest.approx(0.0)
    ours, theirs = np.array([[1, 0], [0, 1]], np.float32), np.array([[1, 0], [1, 0]], np.float32)
    assert drift.query_distance(ours, theirs) == pytest.approx(0.5)


def test_overlap_of_results() -> None:
    assert drift.overlap([["a", "b"], []], [["b", "c"], []]) == {"drift.overlap_at_10": 0.5}
    assert drift.overlap([[]], [[]]) == {}
