from __future__ import annotations

import numpy as np

from pipelines.evaluate.queries import Query
from pipelines.evaluate.recall import lower_bounds, recalls
from pipelines.evaluate.scores import Scores
from pipelines.evaluate.tops import Top


def test_recall_is_of_each_query_that_has_something_to_find() -> None:
    truth = Top(np.array([[0.9, 0.8]], np.float32), np.array([[1, 2]]), np.array([[11, 12]], np.uint64))
    assert recalls(10, [[12, 99]], truth) == [0.5]
    nothing = Top(np.full((1, 1), -np.inf, np.float32), np.array([[-1]]), np.zeros((1, 1), np.uint64))
    assert recalls(10, [[12]], nothing) == [None]


def test_recall_has_a_lower_bound() -> None:
    scores = Scores([Query(bytes(32), "a", (), {}, "", "main", "", True, False, ("", 0))] * 2)
    scores.add("recall.hnsw_at_10", [0.5, None])
    scores.add("recall.plan_at_10", [None, None])
    bounds = lower_bounds(scores)
    assert bounds.keys() == {"recall.hnsw_at_10_lower"}
    assert 0 < bounds["recall.hnsw_at_10_lower"] < 0.5
