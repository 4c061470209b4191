"""Whether traces name what is wrong with the items of a demo's catalogue, which knows it, and how long each takes.

    visual-search demo shop && visual-search run --config shop/config.toml
    python -m benchmarks.bench_trace shop

Every item that was drawn with a fault that keeps it from the index is traced, and its reason compared with the fault's
code. A few that are found are searched for by their own photos, and of each result a trace is to say the same rank.
Expected: every fault named, no disagreement, and half a second a trace at most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.checks import at_least, at_most, keep
from pipelines.config import Config, load_config
from pipelines.search.engine import SearchEngine
from pipelines.store import Store, open_store
from pipelines.trace.facts import Trace
from pipelines.trace.item import Tracer
from pipelines.trace.query import trace_query

RESULTS, SEARCHES = 10, 5


def names_it(found: Trace, code: str) -> bool:
    """Tell whether a trace names a fault: as its reason, as that of the item's row, or of a row that lost its id."""
    rejects = found.trail.catalogued.rejects if found.trail else ()
    codes = {found.verdict.reason, *(reject.code for reject in rejects)}
    return not found.verdict.is_found and (code in codes or f"{code} " in found.verdict.fix)


def disagreements(config: Config, store: Store, found: Trace) -> int:
    """Return in how many of the results of a search by an item's own photo a trace says other than the search."""
    assert found.trail is not None
    uri = next(photo.image_uri for photo in found.trail.photos if photo.in_index)
    path = Path(config.locate(config.catalogue.photo_root), uri)
    with SearchEngine.open(config, store) as engine:
        (answer,) = engine.search_photos([path], RESULTS)
    tracer, wrong = Tracer(config, store, read_feeds=False), 0
    for rank, result in enumerate(answer.results, 1):
        query = trace_query(config, store, tracer.trace(result.item_id), path, RESULTS, None).query
        wrong += (
            query is None or query.standing is None or (query.standing.step, query.standing.rank) != ("shown", rank)
        )
    return wrong


def timed(tracer: Tracer, item_id: str) -> tuple[Trace, float]:
    """Return a trace, and the seconds that it took."""
    began = time.monotonic()
    return tracer.trace(item_id), time.monotonic() - began


def result_of(folder: Path) -> dict[str, Any]:
    """Trace the items of a demo that was run."""
    config = load_config(folder / "config.toml")
    store = open_store(config.store.uri)
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    faults = [one for one in truth["poison"] if one.get("sku") and one["code"] and not one["in_index"]]
    tracer = Tracer(config, store)
    traced = [(fault, *timed(tracer, fault["sku"])) for fault in faults]
    wrong = [f"{one['kind']}: {found.verdict.sentence}" for one, found, _ in traced if not names_it(found, one["code"])]
    reasons = sorted({found.verdict.reason for _, found, _ in traced})
    sound = (tracer.trace(f"S{number:07d}") for number in range(truth["items"]))
    searched = list(islice((found for found in sound if found.verdict.is_found), SEARCHES))
    apart = sum(disagreements(config, store, found) for found in searched)
    seconds = statistics.median(second for _, _, second in traced)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "items": truth["items"],
        "faults": len(faults),
        "reasons": reasons,
        "not_named": wrong,
        "checks": [
            at_least("share of the faults that are named", 1 - len(wrong) / len(faults), 1),
            at_least("different reasons", len(reasons), 10),
            at_most("results of searches of which a trace says something else", apart, 0),
            at_most("seconds a trace, the feeds read", seconds, 0.5),
        ],
    }


def main() -> None:
    """Keep the result of one demo."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("shop", type=Path, help="the folder of a demo that was run")
    keep("trace", result_of(parser.parse_args().shop))


if __name__ == "__main__":
    main()
