"""The query plans of published systems, by name.

Owns their numbers. A recipe is a starting point: a config replaces single fields with `dataclasses.replace`.
"""

from collections.abc import Mapping

from pipelines.index.settings import PlanConfig

RECIPES: Mapping[str, PlanConfig] = {
    # Etsy 2021 (doi 10.1117/12.2594924): approximate search on the embedding alone.
    "etsy": PlanConfig(kind="ivf_pca"),
    # eBay 2017 (arXiv 1706.03154): the top leaf categories, 4096-bit codes within them, exact and category re-ranking.
    # More categories than the paper's while the model is unsure of them.
    # The aspects of a shop (colour, brand) join by attribute_weights.
    "ebay": PlanConfig(kind="binary", top_categories=10, category_mass=0.95, category_weight=0.05),
}


def recipe(name: str) -> PlanConfig:
    """Return the plan of a recipe, or raise ValueError."""
    if name not in RECIPES:
        raise ValueError(f"no query plan for recipe {name!r}: choose from {', '.join(RECIPES)}")
    return RECIPES[name]
