from __future__ import annotations

import numpy as np

from pipelines.evaluate.histogram import Contest, nearest, shares
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
    assert contest.most == [1, 1]
    assert list(contest.items) == ["b"]
    assert Contest.of(asked_of(("boots",), held_out=False), {"boots": {"b": boot}}).places == []


def test_a_shop_with_one_photo_a_leaf_can_be_as_much_better_as_any_other() -> None:
    boot, bag = (Label("", (name,), {}, "", ("u", 0)) for name in ("boots", "bags"))
    asked = asked_of(("boots",), ("bags",), ("bags",))
    asked.own[2].append("b0")
    contest = Contest.of(asked, {"boots": {"b": boot}, "bags": {f"b{n}": bag for n in range(5)}})
    assert contest.most == [1, 5, 4]
    assert shares([0.1, 0.5, 0.2], contest.most) == [1.0, 1.0, 0.5]


def test_ten_results_hold_ten_and_a_query_that_could_find_its_own_alone_is_not_asked() -> None:
    boot, bag = (Label("", (name,), {}, "", ("u", 0)) for name in ("boots", "bags"))
    asked = asked_of(("boots",), ("bags",))
    asked.own[0].append("b")
    contest = Contest.of(asked, {"boots": {"b": boot}, "bags": {f"b{n}": bag for n in range(20)}})
    assert (contest.places, contest.most) == ([1], [10])
