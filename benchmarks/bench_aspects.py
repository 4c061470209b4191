"""What the weights that a model learned are worth: category and attributes among the first ten, on photos held out.

    python -m benchmarks.bench_aspects --config SHOP.toml [--attribute colour] [--run RUN]

SHOP.toml is a shop whose run has built its index, for instance `infra/environments/fashion60.toml`. Every photo of the
test split asks by the shop's plan, its own item, variants and copies left out: by the cosine alone, as where nothing
was learned, and with what was learned. The weights come from validation photos: no photo that asks was seen by them,
nor by the training. Differences are paired, and their errors those of the mean over queries. The last result stays in
benchmarks/results/.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checks import at_least, keep
from benchmarks.held_out import held_out
from pipelines.config import load_config
from pipelines.models.facts import read_facts
from pipelines.models.outputs import QueryOutputs
from pipelines.models.query_model import serve
from pipelines.models.weights import Weights
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.query.plan import QueryPlan
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.recipes import plan_of
from pipelines.neighbours.settings import PlanConfig, weighed
from pipelines.store import open_store

TOP = 10
WANTED, BOUND = 0.53, -0.003
"""Of the category and the attribute together (.453 before anything was learned); of the category's change."""


def plans(plan: PlanConfig, learned: Weights) -> dict[str, PlanConfig]:
    """Return the plans that are compared."""
    plain = replace(plan, category_weight=0.0, attribute_weights={})
    return {"cosine": plain, "unlearned": weighed(plan, None), "learned": weighed(plan, learned)}


def shares(searcher: Searcher, plan: PlanConfig, outputs: QueryOutputs, items: np.ndarray, name: str) -> np.ndarray:
    """Return by query what share of its first results is of its category, and of its attribute's value as well.

    float64 `[2, queries]`; the second is nan where the item has no value.
    """
    rows = searcher.rows
    own = np.array([rows.links_of_item(int(item))[0] for item in items])
    codes = rows.attributes[name][1]
    exclusions = [
        Exclusion(items=np.array([item]), groups=rows.link_group[link : link + 1], rows=rows.link_row[link : link + 1])
        for item, link in zip(items, own, strict=True)
    ]
    found = QueryPlan(searcher.parts, plan).run(outputs, TOP, exclusions).links
    both = np.zeros((2, len(items)))
    for query, (link, links) in enumerate(zip(own, found, strict=True)):
        same = rows.link_slot[links] == rows.link_slot[link]
        both[:, query] = same.sum() / TOP, (same & (codes[links] == codes[link])).sum() / TOP
    both[1, codes[own] < 0] = np.nan
    return both


def paired(values: np.ndarray, base: np.ndarray) -> dict[str, float]:
    """Return the mean, and its difference to a base with the error of that."""
    known = ~np.isnan(values)
    gains = (values - base)[known]
    error = gains.std() / np.sqrt(len(gains))
    return {
        "mean": round(float(values[known].mean()), 4),
        "gain": round(float(gains.mean()), 4),
        "error": round(float(error), 4),
    }


def measure(config_path: Path, run_id: str | None, attribute: str) -> dict[str, Any]:
    """Ask a shop's index in each way."""
    config = load_config(str(config_path))
    store = open_store(config.store.uri)
    run_id = run_id or store.folders("runs")[-1]
    index = store.read_json(f"runs/{run_id}/index/manifest.json")["outputs"]
    queries = held_out(store, run_id)
    facts = read_facts(store, index["model_id"])
    if facts.weights is None:
        raise SystemExit(f"model {facts.model_id} has learned no weights: train it again, on more validation photos")
    outputs = serve(store, facts, facts.prep_id, [query.place for query in queries])
    with store.stage_in(f"indexes/{index['index_id']}") as folder:
        searcher = Searcher.open(folder)
        items = np.array([searcher.rows.item(query.item_id) for query in queries])
        ways = plans(plan_of(config), facts.weights)
        found = {way: shares(searcher, plan, outputs, items, attribute) for way, plan in ways.items()}
    base = found["unlearned"]
    return {
        "queries": len(queries),
        "attribute": attribute,
        "weights": asdict(facts.weights),
        "leaf": {way: paired(values[0], base[0]) for way, values in found.items()},
        "leaf_attribute": {way: paired(values[1], base[1]) for way, values in found.items()},
    }


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--run")
    parser.add_argument("--attribute", default="colour")
    given = parser.parse_args()
    result = measure(given.config, given.run, given.attribute)
    leaf = result["leaf"]["learned"]
    checks = [
        at_least("P@10 of category and attribute", result["leaf_attribute"]["learned"]["mean"], WANTED),
        at_least("P@10 of the category, gained, less twice its error", leaf["gain"] - 2 * leaf["error"], BOUND),
    ]
    keep("aspects", {"what": "what learned weights are worth", **result, "checks": checks})


if __name__ == "__main__":
    main()
