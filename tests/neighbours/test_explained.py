"""What a plan tells of one query: the parts of each result's place sum up to its score."""

import numpy as np
import pytest

from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.neighbours.query.explained import Sight
from pipelines.neighbours.query.filters import Filter
from pipelines.neighbours.settings import PlanConfig


@pytest.fixture
def searcher(shop, line):
    red, blue = (("colour", "red"),), (("colour", "blue"),)
    lines = [line(f"i{n}", 10 * n, slot=n // 3, attributes=red if n % 2 else blue) for n in range(9)]
    return shop(*lines, attributes=("colour",))


@pytest.fixture
def asked(hand_made) -> QueryOutputs:
    colours = AttributeScores(("blue", "red"), np.array([[0.25, 0.75]], np.float32))
    probabilities = np.array([[0.7, 0.3, 0.0]], np.float32)
    return QueryOutputs(hand_made.at_angles(12), hand_made.angle_code(12), probabilities, {"colour": colours})


def test_parts_sum_up_to_the_scores_that_ordered_the_results(searcher, asked) -> None:
    plan = PlanConfig(
        kind="binary", top_categories=1, category_mass=0.0, category_weight=0.5, attribute_weights={"colour": 0.1}
    )
    hits, told = searcher.explain(asked, 3, plan)
    assert [hit.item_id for hit in hits] == [hit.item_id for hit in searcher.search(asked, 3, plan)[0]]
    assert [hit.item_id for hit in hits] == ["i1", "i2", "i0"]
    assert [sum(parts.values()) for parts in told.parts] == pytest.approx(told.scores)
    assert list(told.scores) == sorted(told.scores, reverse=True)
    assert told.parts[0]["similarity"] == pytest.approx(hits[0].score, abs=1e-6)
    assert told.parts[0]["category"] == pytest.approx(0.35)
    assert told.parts[0]["attribute colour"] == pytest.approx(0.05)
    assert told.parts[1]["attribute colour"] == pytest.approx(-0.05)


def test_the_querys_very_photo_is_lifted_and_that_is_told(searcher, hand_made) -> None:
    colours = AttributeScores(("blue", "red"), np.array([[1.0, 0.0]], np.float32))
    asked = QueryOutputs(hand_made.at_angles(10), attributes={"colour": colours})
    hits, told = searcher.explain(asked, 2, PlanConfig(kind="exact", attribute_weights={"colour": 0.5}))
    assert [hit.item_id for hit in hits] == ["i1", "i0"]
    assert told.parts[0]["same photo"] > 0.9
    assert "same photo" not in told.parts[1]
    assert [sum(parts.values()) for parts in told.parts] == pytest.approx(told.scores)


def test_what_was_seen_and_looked_at(searcher, asked) -> None:
    plan = PlanConfig(kind="binary", top_categories=1, category_mass=0.0)
    _, told = searcher.explain(asked, 2, plan)
    assert told.seen == (Sight(0, pytest.approx(0.7)), Sight(1, pytest.approx(0.3)))
    assert told.seen_attributes == {"colour": (Sight("red", pytest.approx(0.75)), Sight("blue", pytest.approx(0.25)))}
    assert (told.kind, told.scanned, told.depth, told.rounds) == ("binary", 3, 3, 0)
    assert told.slots == (0,)
    assert told.left is None


def test_a_filter_says_how_much_it_leaves(searcher, asked) -> None:
    hits, told = searcher.explain(asked, 9, PlanConfig(kind="exact"), Filter(attributes={"colour": frozenset(["red"])}))
    assert [hit.item_id for hit in hits] == ["i1", "i3", "i5", "i7"]
    assert told.left == told.scanned == 4
