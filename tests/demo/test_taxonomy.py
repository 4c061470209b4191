import re
from collections import Counter

import numpy as np
import pytest

from pipelines.demo.archetypes import ARCHETYPES
from pipelines.demo.taxonomy import MAX_LEVELS, grow, max_leaves, sizes


@pytest.mark.parametrize("count", [1, 7, 40, 41, 120, 3000])
def test_there_are_exactly_as_many_leaves_as_asked_for(count):
    leaves = grow(count, np.random.default_rng(1))
    assert len({leaf.path for leaf in leaves}) == len(leaves) == count
    assert all(3 <= len(leaf.path) <= MAX_LEVELS for leaf in leaves)


def test_three_thousand_leaves_cover_all_archetypes_at_uneven_depth():
    leaves = grow(3000, np.random.default_rng(1))
    assert len({leaf.archetype.name for leaf in leaves}) == len(ARCHETYPES)
    assert len(Counter(len(leaf.path) for leaf in leaves)) >= 3


def test_no_leaf_is_the_parent_of_another():
    paths = {leaf.path for leaf in grow(500, np.random.default_rng(2))}
    assert not any(path[:depth] in paths for path in paths for depth in range(1, len(path)))


def test_a_leaf_fixes_the_axes_that_its_path_names():
    leaf = next(leaf for leaf in grow(500, np.random.default_rng(2)) if len(leaf.fixed) == 2)
    first, second = leaf.archetype.axes[:2]
    assert leaf.path[-2:] == (leaf.fixed[first.name], leaf.fixed[second.name])
    assert leaf.fixed[first.name] in first.values


def test_more_leaves_than_can_be_told_apart_are_refused():
    with pytest.raises(ValueError, match=re.escape(f"leaf_categories={max_leaves() + 1}: choose 1 to {max_leaves()}")):
        grow(max_leaves() + 1, np.random.default_rng(1))


def test_sizes_are_skewed_and_no_leaf_is_empty():
    counts = sizes(100, 10_000, np.random.default_rng(1))
    assert sum(counts) == 10_000
    assert min(counts) >= 1
    ordered = sorted(counts, reverse=True)
    assert sum(ordered[:20]) > 0.45 * 10_000  # an even share of twenty leaves would be .2


def test_fewer_items_than_leaves_are_refused():
    with pytest.raises(ValueError, match="items=9 for 10 leaf categories"):
        sizes(10, 9, np.random.default_rng(1))
