"""From the sections of a config to the plan, and what its weights do to the order of results."""

import numpy as np
import pytest

from pipelines.config import Config
from pipelines.models.outputs import QueryOutputs
from pipelines.models.weights import Weights
from pipelines.neighbours.recipes import RECIPES, index_config, kinds_of, plan_of
from pipelines.neighbours.settings import weighed


def config(recipe="etsy", index=None, **search):
    columns = {"item_id": "i", "photos": "p", "category": "c", "signals": {"sales": "n", "rating": "r"}}
    columns |= {"attributes": {"colour": "hue"}}
    raw = {"store": {"uri": "s"}, "catalogue": {"snapshot": "feed.csv", "columns": columns}}
    raw["train"] = {"attributes": ["colour"]}
    return Config.model_validate({**raw, "recipe": recipe, "index": index or {}, "search": search})


@pytest.mark.parametrize("recipe", RECIPES)
def test_without_keys_the_plan_is_the_recipes(recipe):
    assert plan_of(config(recipe)) == RECIPES[recipe]


@pytest.mark.parametrize("recipe", RECIPES)
def test_weights_replace_those_of_the_recipe(recipe):
    plan = plan_of(config(recipe, category_weight=0.2, signal_weights={"sales": 0.1, "rating": -0.3}))
    assert (plan.category_weight, plan.signal_weights) == (0.2, {"sales": 0.1, "rating": -0.3})
    assert plan.kind == RECIPES[recipe].kind
    assert plan.reranks


def test_weights_of_attributes_reach_the_plan_and_the_index_keeps_their_values():
    chosen = config(attribute_weights={"colour": 0.1})
    assert plan_of(chosen).attribute_weights == {"colour": 0.1}
    assert index_config(chosen).attributes == ("colour",)


def test_a_category_weight_of_zero_takes_the_recipes_away():
    plan = weighed(plan_of(config("ebay")), None)
    assert (plan.category_weight, plan.attribute_weights, plan.reranks) == (0.05, {}, True)
    assert not weighed(plan_of(config("ebay", category_weight=0)), None).reranks


def test_what_the_config_says_goes_before_what_was_learned():
    learned = Weights(category=0.2, attributes={"colour": 0.1})
    plan = weighed(plan_of(config("ebay")), learned)
    assert (plan.category_weight, plan.attribute_weights) == (0.2, {"colour": 0.1})
    plan = weighed(plan_of(config("ebay", category_weight=0.3, attribute_weights={})), learned)
    assert (plan.category_weight, plan.attribute_weights) == (0.3, {})
    assert weighed(plan_of(config("etsy")), learned) == RECIPES["etsy"]


def test_equal_weights_are_equal_plans_in_whatever_order():
    one, other = ({"sales": 0.1, "rating": 0.2}, {"rating": 0.2, "sales": 0.1})
    assert repr(plan_of(config(signal_weights=one))) == repr(plan_of(config(signal_weights=other)))


def test_what_is_weighed_is_kept_by_the_index():
    assert index_config(config(signal_weights={"sales": 0.1})).signals == ("rating", "sales")


def test_kinds_that_the_plan_needs_must_be_built():
    assert kinds_of(config(index={"kinds": ["hnsw", "ivf_pca"]})) == ("hnsw", "ivf_pca")
    with pytest.raises(ValueError, match=r"index\.kinds = \['hnsw'\] lacks 'ivf_pca', which the query plan searches"):
        kinds_of(config(index={"kinds": ["hnsw"]}))
    assert kinds_of(config(candidates="exact")) == ()


@pytest.fixture
def searcher(shop, line):
    """Cosines to the angle 0: a .985, b .940, c .866; b sells best, c is of another category."""
    return shop(
        line("a", 10, slot=0, signals=(("sales", 1.0), ("rating", 5.0))),
        line("b", 20, slot=0, signals=(("sales", 9.0), ("rating", 1.0))),
        line("c", 30, slot=1, signals=(("sales", 5.0), ("rating", 3.0))),
        kinds=(),
        signals=("sales", "rating"),
    )


def photo():
    return QueryOutputs(np.array([[1, 0]], np.float32), None, np.array([[0.1, 0.9]], np.float32))


@pytest.mark.parametrize(
    ("search", "order"),
    [
        ({}, "abc"),
        ({"signal_weights": {"sales": 0.04}}, "abc"),  # a .985, b .980, c .886
        ({"signal_weights": {"sales": 0.05}}, "bac"),  # b .990
        ({"signal_weights": {"sales": 0.05, "rating": 0.02}}, "abc"),  # a 1.005, b .990
        ({"signal_weights": {"sales": -0.2}}, "acb"),  # a .985, b .740, c .766
        ({"category_weight": 0.2}, "cab"),  # a 1.005, b .960, c 1.046
    ],
)
def test_weights_of_the_config_order_what_a_photo_finds(searcher, search, order):
    plan = plan_of(config(candidates="exact", **search))
    hits = searcher.search(photo(), 3, plan)[0]
    assert "".join(hit.item_id for hit in hits) == order


def test_a_category_weight_orders_what_an_item_finds_without_binary_codes_too(searcher):
    def found(weight):
        plan = plan_of(config(candidates="exact", category_weight=weight))
        return [(hit.item_id, hit.score) for hit in searcher.search_items(["b"], 2, plan)[0]]

    cosine = float(np.cos(np.deg2rad(10)))  # a and c are 10 degrees from b; a alone shares its category
    assert dict(found(0.0)) == pytest.approx({"a": cosine, "c": cosine}, abs=1e-3)
    assert [item_id for item_id, _ in found(0.2)] == ["a", "c"]


def test_scores_are_similarities_in_the_order_of_the_weights(searcher):
    plan = plan_of(config(candidates="exact", category_weight=0.2))
    hits = searcher.search(photo(), 3, plan)[0]
    assert [hit.item_id for hit in hits] == ["c", "a", "b"]
    assert [hit.score for hit in hits] == pytest.approx([0.866, 0.985, 0.94], abs=2e-3)
