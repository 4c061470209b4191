"""What a leaf at any depth, with calibrated probabilities, is worth to a search by category in an uneven taxonomy.

    git worktree add ../before 2746db4
    python -m benchmarks.bench_leaves --before ../before

The demo's catalogue is drawn with 300 and with 3,000 leaves of uneven depth and run up to its index twice: by a
checkout of a version that took the deepest level for the leaf, and by this one, with the same short training. Then the
held-out photos, of the catalogue and of the street as they come, ask both indexes, each by its own query plan: the
kinds of photos on which the mass is set. Counted are the links without a leaf, the share of codes that a query scans,
and how often its own leaf is among them; for this version also what other masses of categories would have come to. The
result stays in benchmarks/results/leaves.json. Expected: no link without a leaf, and the leaf scanned for 99 % of the
queries by the smallest mass of those tried that gets there, or by little more. The mass of a model may be more than
that: it is set so that we are 95 % sure of the 99 %.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.held_out import held_out
from benchmarks.shop import with_training
from pipelines.config import load_config
from pipelines.demo.writer import write_catalogue
from pipelines.models.facts import read_facts
from pipelines.models.outputs import QueryOutputs
from pipelines.models.query_model import serve
from pipelines.neighbours.query.coverage import scan_coverage
from pipelines.neighbours.query.plan import QueryPlan
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.recipes import plan_of
from pipelines.neighbours.rows import UnknownItemError
from pipelines.neighbours.settings import PlanConfig
from pipelines.store import open_store

RESULT = Path(__file__).parent / "results" / "leaves.json"
SIZE = (64, 80)
BEFORE = PlanConfig(kind="binary", top_categories=10, category_mass=0.95, category_weight=0.05)
"""The recipe `ebay` of the version before."""
MASSES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.993, 0.995, 0.997, 0.998, 0.999, 0.9995, 0.9999)
WANTED = 0.99


def draw(folder: Path, items: int, leaves: int) -> None:
    """Draw the demo's catalogue."""
    write_catalogue(folder, items=items, leaf_categories=leaves, seed=7, size=SIZE)


def build(folder: Path, tree: Path, name: str, steps: int) -> Path:
    """Run a checkout's stages up to the index; return the config that names its store."""
    text = (folder / "config.toml").read_text(encoding="utf-8").replace('uri = "store"', f'uri = "store-{name}"')
    text = with_training(text, f"steps = {steps}\nhash_minutes = 0.3")  # what both know
    config = folder / f"{name}.toml"
    config.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pipelines.cli", "run", "--config", str(config), "--to", "index"]
    subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True)
    return config


def measure(config_path: Path, plan: PlanConfig | None) -> dict[str, Any]:
    """Ask an index by a plan (None: the one of its config) and count."""
    config = load_config(str(config_path))
    store = open_store(config.store.uri)
    run_id = store.folders("runs")[-1]
    index = store.read_json(f"runs/{run_id}/index/manifest.json")["outputs"]
    queries, facts = held_out(store, run_id), read_facts(store, index["model_id"])
    outputs = serve(store, facts, facts.prep_id, [query.place for query in queries])
    with store.stage_in(f"indexes/{index['index_id']}") as folder:
        searcher = Searcher.open(folder)
        slots = np.asarray(searcher.rows.link_slot)
        leaves = [_leaf(searcher, query.item_id) for query in queries]
        found = {
            "links": len(slots),
            "links_without_leaf": int((slots < 0).sum()),
            "leaves_with_photos": len(np.unique(slots[slots >= 0])),
            "leaves_learned": len(facts.leaf.trained),
            "queries": dict(sorted(Counter(query.role for query in queries).items())),
            "leaf_top1": round(float(np.mean(outputs.probabilities.argmax(axis=1) == leaves)), 4),  # type: ignore[union-attr]
            "category_mass": facts.leaf.category_mass,
            **_coverage(searcher, outputs, leaves, plan or plan_of(config)),
        }
        if facts.knows_leaves:
            masses = [replace(plan_of(config), category_mass=mass) for mass in MASSES]
            found["by_mass"] = {str(p.category_mass): _coverage(searcher, outputs, leaves, p) for p in masses}
        return found


def _leaf(searcher: Searcher, item_id: str) -> int:
    """Return the category that an item's photo stands in; -1 where it has none, which every query scans."""
    try:
        return int(searcher.rows.link_slot[searcher.rows.links_of_item(searcher.rows.item(item_id))[0]])
    except UnknownItemError:
        return -1


def _coverage(searcher: Searcher, outputs: QueryOutputs, leaves: list[int], plan: PlanConfig) -> dict[str, Any]:
    binary = searcher.parts.binary
    assert binary is not None, "the recipe builds codes"
    result = QueryPlan(searcher.parts, plan).run(outputs, 10)
    found = scan_coverage(result, binary.num_codes, binary.slots, leaves)
    assert found is not None, "a binary plan scans codes"
    scanned = None if found.true_leaf_scanned is None else round(found.true_leaf_scanned, 4)
    return {"scanned_share": round(found.scanned_share, 4), "true_leaf_scanned": scanned, "with_leaf": found.queries}


def checks(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was to be reached, and what was."""
    listed = []
    for leaves, both in found.items():
        after = both["after"]
        enough = [m["scanned_share"] for m in after["by_mass"].values() if m["true_leaf_scanned"] >= WANTED]
        least = min(enough, default=1.0)
        for what, value, wanted, reached in (
            ("links without a leaf", after["links_without_leaf"], 0, after["links_without_leaf"] == 0),
            ("plan.true_leaf_scanned", after["true_leaf_scanned"], WANTED, after["true_leaf_scanned"] >= WANTED),
            ("plan.scanned_share", after["scanned_share"], least, after["scanned_share"] <= least),
        ):
            listed.append({"what": f"{what}, {leaves} leaves", "value": value, "wanted": wanted, "reached": reached})
    return listed


def main() -> None:
    """Draw, build, measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--before", type=Path, help="a checkout of the version to compare with; else what is kept of it"
    )
    parser.add_argument("--leaves", type=int, nargs="+", default=[300, 3000])
    parser.add_argument("--items-a-leaf", type=float, nargs="+", default=[10, 2.5])
    parser.add_argument("--steps", type=int, default=400)
    args = parser.parse_args()
    kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() and not args.before else None
    if kept and kept["steps"] != args.steps:
        raise SystemExit(f"{RESULT} was kept with --steps {kept['steps']}; take as many, or measure --before anew")
    found: dict[str, Any] = {}
    for leaves, ratio in zip(args.leaves, args.items_a_leaf, strict=True):
        with tempfile.TemporaryDirectory(prefix="bench-leaves-") as name:
            folder, here = Path(name), Path(__file__).resolve().parents[1]
            draw(folder, round(ratio * leaves), leaves)
            after = measure(build(folder, here, "after", args.steps), None)
            before = kept["found"][str(leaves)]["before"] if kept else None
            if args.before:
                before = measure(build(folder, args.before.resolve(), "before", args.steps), BEFORE)
            found[str(leaves)] = {"items": round(ratio * leaves), "before": before, "after": after}
        print(json.dumps(found, indent=1), flush=True)
    result = {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "steps": args.steps,
        "found": found,
        "checks": checks(found),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
