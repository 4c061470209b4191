"""The query plans of published systems, by name.

Owns their numbers. A recipe is a starting point: a config replaces single fields with `dataclasses.replace`.
"""

from collections.abc import Mapping
from dataclasses import replace

from pipelines.config import Config
from pipelines.neighbours.settings import IndexConfig, PlanConfig

RECIPES: Mapping[str, PlanConfig] = {
    # Etsy 2021 (doi 10.1117/12.2594924): approximate search on the embedding alone.
    "etsy": PlanConfig(kind="ivf_pca"),
    # eBay 2017 (arXiv 1706.03154): the top leaf categories, 4096-bit codes within them, exact and category re-ranking.
    # As many as hold the right one for 99 % of the validation photos: see trainer/calibration.py.
    # What category and the aspects of a shop (colour, brand) weigh is learned: see trainer/ranking.py.
    "ebay": PlanConfig(kind="binary", top_categories=1, category_weight=None, attribute_weights=None),
}


def recipe(name: str) -> PlanConfig:
    """Return the plan of a recipe, or raise ValueError."""
    if name not in RECIPES:
        raise ValueError(f"no query plan for recipe {name!r}: choose from {', '.join(RECIPES)}")
    return RECIPES[name]


def plan_of(config: Config) -> PlanConfig:
    """Return the recipe's plan with what the section `[search]` sets."""
    plan, search = recipe(config.recipe), config.search
    changed: dict[str, object] = {}
    if search.candidates:
        changed["kind"] = search.candidates
    if search.categories:
        changed["top_categories"] = search.categories
    if search.category_mass is not None:
        changed["category_mass"] = search.category_mass
    if search.unit:
        changed["fold"] = search.unit
    if search.depth:
        changed |= {"depth_min": search.depth, "depth_max": search.depth, "rerank_pool": search.depth}
    if search.category_weight is not None:
        changed["category_weight"] = search.category_weight
    if search.attribute_weights is not None:
        changed["attribute_weights"] = dict(sorted(search.attribute_weights.items()))
    if search.signal_weights:
        changed["signal_weights"] = dict(sorted(search.signal_weights.items()))
    return replace(plan, **changed)  # type: ignore[arg-type]


def kinds_of(config: Config) -> tuple[str, ...]:
    """Return the kinds to build: those of `index.kinds`, else those that the plan searches.

    Raises ValueError when `index.kinds` lacks one that the plan needs.
    """
    needed = [kind for kind in plan_of(config).kinds if kind != "exact"]
    if config.index.kinds is None:
        return tuple(needed)
    lacking = [kind for kind in needed if kind not in config.index.kinds]
    if lacking:
        raise ValueError(
            f"index.kinds = {list(config.index.kinds)} lacks {lacking[0]!r}, which the query plan searches: "
            f"add {lacking[0]!r}, or set search.candidates to one of them"
        )
    return tuple(config.index.kinds)


def index_config(config: Config) -> IndexConfig:
    """Return the settings of a build: every attribute and signal of the catalogue is kept for re-ranking."""
    columns = config.catalogue.columns
    return IndexConfig(
        kinds=kinds_of(config),
        memory_budget_bytes=config.index.memory_bytes,
        attributes=tuple(sorted(columns.attributes)),
        signals=tuple(sorted(columns.signals)),
    )
