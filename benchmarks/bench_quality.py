"""Two live releases of the same shop, before and after a change of the code: what is better, worse, and new.

    python -m benchmarks.bench_quality before.toml after.toml --name fashion60

Reads `metrics.json` and, where both have it, `queries.parquet` of the live releases; trains and searches nothing. A
metric that both have is compared on the queries common to both (bootstrap by split group, as gates are); without
queries, by its value alone, with the standard error of two independent shares. Writes
benchmarks/results/quality-<name>.json: a row a metric, the baseline of the predicted leaf beside it, and `checks`: no
metric is worse than before beyond its bound. For `unseen.*` train both with `train.held_out_leaves = 0.1`, in stores of
their own: what is held out makes all else a little worse.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.config import load_config
from pipelines.evaluate.pairs import Difference, difference
from pipelines.evaluate.vocabulary import describe
from pipelines.releases.live import live_release_id
from pipelines.releases.measures import Measures, read_measures
from pipelines.store import open_store, parquet

RESULTS = Path(__file__).parent / "results"
COMPARED = ("retrieval.", "category.", "attribute.", "recall.", "plan.", "unseen.", "parity.")
BASELINE = "retrieval.leaf_baseline_"
Z95_ONE_SIDED = 1.645


@dataclass(frozen=True)
class Side:
    """One live release: what was measured of it, and of each of its queries."""

    measures: Measures
    queries: pa.Table | None


def read_side(config_path: str) -> Side:
    """Return the live release of a config's store."""
    store = open_store(load_config(config_path).store.uri)
    release_id = live_release_id(store)
    measures = read_measures(store, release_id) if release_id else None
    assert measures is not None, f"{store.uri} has no live release"
    return Side(measures, None if measures.queries is None else parquet.decoded(measures.queries))


def row_of(name: str, before: Side, after: Side) -> dict[str, Any]:
    """Return one metric of both, how far they are apart and the bound of that in the better direction."""
    was, now = before.measures.metrics.get(name), after.measures.metrics.get(name)
    row: dict[str, Any] = {"metric": name, "better": describe(name).better, "before": was, "after": now}
    baseline = after.measures.metrics.get(f"{BASELINE}{name.removeprefix('retrieval.')}")
    if baseline is not None and name.startswith("retrieval."):
        row["any_of_the_named_leaf"] = baseline
    if was is None or now is None:
        return row
    paired = None
    if before.queries is not None and after.queries is not None:
        paired = difference(after.queries, before.queries, name)
    if paired is not None and paired.is_bounded:
        return row | {"change": paired.mean, "pairs": paired.pairs, "at_best": best_of(name, paired)}
    error = standard_error(was, now, before, after)
    return row | {"change": now - was, "pairs": 0, "at_best": now - was + sign_of(name) * Z95_ONE_SIDED * error}


def best_of(name: str, paired: Difference) -> float:
    """Return the most favourable change that the queries do not rule out."""
    return paired.upper if sign_of(name) > 0 else paired.lower


def sign_of(name: str) -> int:
    """Return 1 where higher is better, -1 elsewhere."""
    return -1 if describe(name).better == "lower" else 1


def standard_error(was: float, now: float, before: Side, after: Side) -> float:
    """Return the standard error of the difference of two independent shares; 0 where they are no shares."""
    if not (0 <= was <= 1 and 0 <= now <= 1):
        return 0.0
    counts = (side.measures.metrics["queries.held_out"] or 1 for side in (before, after))
    return math.sqrt(sum(p * (1 - p) / n for p, n in zip((was, now), counts, strict=True)))


def checks_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return of every metric that both have whether its change, at best, is no loss."""
    return [
        {
            "what": f"{row['metric']}: change at best (95 %), {row['pairs'] or 'no'} pairs",
            "value": round(row["at_best"], 5),
            "wanted": "0 or better",
            "reached": sign_of(row["metric"]) * row["at_best"] >= 0,
        }
        for row in rows
        if "change" in row and row["better"]
    ]


def main() -> None:
    """Compare, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--name", required=True)
    args = parser.parse_args()
    before, after = read_side(args.before), read_side(args.after)
    names = sorted({n for side in (before, after) for n in side.measures.metrics if n.startswith(COMPARED)})
    rows = [row_of(name, before, after) for name in names]
    releases = [side.measures.release_id for side in (before, after)]
    result = {"before": releases[0], "after": releases[1], "table": rows, "checks": checks_of(rows)}
    for row in rows:
        print(json.dumps(row))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"quality-{args.name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
