import itertools

import pytest

from pipelines.demo.items import make_items, model_name, stream
from pipelines.demo.taxonomy import grow, sizes


@pytest.fixture(scope="module")
def items():
    leaves = grow(60, stream(1, 0))
    return make_items(leaves, sizes(60, 400, stream(1, 8)), 1)


def test_ids_and_names_are_unique(items):
    assert len({item.sku for item in items}) == len({item.name for item in items}) == 400
    assert [item.index for item in items] == list(range(400))


def test_variants_of_a_product_differ_in_colour_alone(items):
    sizes_of_groups = []
    for _, group in itertools.groupby(items, key=lambda item: item.parent_sku):
        first, *others = group
        sizes_of_groups.append(1 + len(others))
        for other in others:
            assert other.leaf is first.leaf
            assert other.product.variant == first.product.variant
            assert other.product.look.pattern == first.product.look.pattern
            assert other.product.look.colour != first.product.look.colour
    assert set(sizes_of_groups) == {1, 2, 3}


def test_an_item_lies_where_its_leaf_says(items):
    for item in items:
        axes = {axis.name: axis.values for axis in item.leaf.archetype.axes}
        for name, label in item.leaf.fixed.items():
            assert item.product.variant[name] == axes[name][label]


def test_prices_and_ratings_are_plausible(items):
    for item in items:
        low, high = item.leaf.archetype.price
        assert 0.9 * low <= item.price <= 1.1 * high
        assert 1 <= item.rating <= 5
        assert 1 <= item.photos <= 4


def test_model_names_are_words_of_their_own():
    names = [model_name(number) for number in range(20_000)]
    assert len(set(names)) == 20_000
    assert model_name(0) == "Ceba" + "ba"  # 24 syllables: 576 is written 1 0 0


def test_a_stream_is_named_by_its_whole_path():
    assert stream(1, 2, 3).random() == stream(1, 2, 3).random()
    assert stream(1, 2, 3).random() != stream(1, 2, 4).random()
