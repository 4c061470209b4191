from __future__ import annotations

import numpy as np

from pipelines.evaluate.histogram import Contest, nearest
from pipelines.evaluate.labels import Label
from tests.evaluate.report.test_examples import asked_of


def test_the_nearest_are_ten_without_the_querys_own() -> None:
    gallery = np.stack([np.array([1 - n / 100, n / 100], np.float32) for n in range(20)])
    ids = [f"i{n}" for n in range(20)]
    assert nearest(np.array([[1, 0]], np.float32), gallery, ids, [{"i0", "i3"}]) == [
        [f"i{n}" for n in range(12) if n not in {0, 3}]
    ]


def test_queries_are_asked_whose_leaf_has_something_to_find() -> None:
    boot = Label("", ("boots",), {}, "", ("u", 0))
    contest = Contest.of(asked_of(("boots",), ("bags",), ("boots",)), {"boots": {"b": boot}})
    assert contest.places == [0, 2]
    assert list(contest.items) == ["b"]
    assert Contest.of(asked_of(("boots",), held_out=False), {"boots": {"b": boot}}).places == []
