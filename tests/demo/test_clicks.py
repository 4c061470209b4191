import itertools

import numpy as np
import pytest

from pipelines.demo.clicks import PLACES, impressions, is_relevant
from pipelines.demo.items import make_items, stream
from pipelines.demo.taxonomy import grow, sizes


@pytest.fixture(scope="module")
def log():
    items = make_items(grow(20, stream(1, 0)), sizes(20, 300, stream(1, 8)), 1)
    asked = [(item, f"street/{item.sku}.jpg") for item in items]
    return items, list(impressions(asked, items, stream(1, 11)))


def test_every_query_shows_ten_different_items(log):
    items, shown = log
    assert len(shown) == len(items) * PLACES
    for start in range(0, len(shown), PLACES):
        query = shown[start : start + PLACES]
        assert [impression.position for impression in query] == list(range(1, PLACES + 1))
        assert len({impression.sku for impression in query}) == PLACES
        assert any(impression.relevant for impression in query)


def test_relevant_and_high_results_are_clicked_more(log):
    _, shown = log
    relevant = np.array([i.relevant for i in shown])
    clicked = np.array([i.clicked for i in shown])
    first = np.array([i.position <= 2 for i in shown])
    assert clicked[relevant].mean() > 4 * clicked[~relevant].mean()
    assert clicked[relevant & first].mean() > 1.4 * clicked[relevant & ~first].mean()


def test_variants_are_relevant_and_other_categories_are_not(log):
    items, _ = log
    first, second = next((a, b) for a, b in itertools.pairwise(items) if a.parent_sku == b.parent_sku)
    other = next(item for item in items if item.leaf is not first.leaf)
    assert is_relevant(first, second)
    assert not is_relevant(first, other)
