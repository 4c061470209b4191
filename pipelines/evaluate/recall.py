"""How much of what exact search finds the index finds, and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.evaluate.answers import Answers, Ids, ids_of, own_items
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.categories import Slots
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.gallery import key_of
from pipelines.evaluate.labels import Label
from pipelines.evaluate.metrics import Metrics, percentiles, recall_at
from pipelines.evaluate.scores import Scores
from pipelines.evaluate.tops import Top, Tops

TIMED_QUERIES = 300
DEPTHS = (1, 10, 100)


def add_recall(
    scores: Scores, engine: Engine, asked: Asked, tops: Tops, answers: Answers, labels: Mapping[str, Label]
) -> None:
    """Add the recall of every kind and of the plan against exact search."""
    for kind in engine.kinds:
        for k, found in ((10, _photo_keys(engine, kind, asked, 10)), (100, _photo_keys(engine, kind, asked, 100))):
            for depth in (1, 10) if k == 10 else (100,):
                scores.add(f"recall.{kind}_at_{depth}", recalls(depth, found, tops.photos))
    ten, hundred, best = (_result_keys(ids, labels) for ids in (answers.ten, answers.hundred, answers.found))
    scores.add("recall.candidates_at_10", recalls(10, best, tops.results))
    for depth in DEPTHS:
        scores.add(f"recall.plan_at_{depth}", recalls(depth, hundred if depth == 100 else ten, tops.results))


def lower_bounds(scores: Scores) -> Metrics:
    """Return the lower bound of every recall."""
    names = [
        name for name, column in scores.columns.items() if name.startswith("recall.") and np.isfinite(column).any()
    ]
    return {f"{name}_lower": scores.bounded(name).lower for name in names}


def coverage(engine: Engine, photos: Sequence[Sequence[bytes]]) -> Metrics:
    """Return how many of the queries' true best photos the index holds at all."""
    true = [digest for of_query in photos for digest in of_query[:10]]
    held = engine.held(set(true))
    return {"gallery.coverage": sum(digest in held for digest in true) / len(true)} if true else {}


def itself_first(engine: Engine, asked: Asked) -> Metrics:
    """Return how many photos of the gallery find an item with this very photo first, when nothing is left out."""
    inside = [n for n, query in enumerate(asked.queries) if not query.cross]
    if not inside:
        return {}
    found = ids_of(engine.results(asked.outputs.take(np.array(inside, np.int64)), 10))
    hits = [bool(ids) and ids[0] in asked.own[n] for ids, n in zip(found, inside, strict=True)]
    return {"parity.itself_first": float(np.mean(hits))}


def scanning(engine: Engine, asked: Asked, slots: Slots) -> Metrics:
    """Return how much of the codes a plan scans, and how often the leaf of a held-out query is among it."""
    judged, own = asked.judged, own_items(asked)
    if not judged:
        return {}
    leaves = [slots.leaf(asked.queries[n].path) for n in judged]
    some = asked.outputs.take(np.array(judged, np.int64))
    found = engine.coverage(some, [own[n] for n in judged], leaves)
    if found is None:
        return {}
    share = {"plan.scanned_share": found.scanned_share}
    return share if found.true_leaf_scanned is None else share | {"plan.true_leaf_scanned": found.true_leaf_scanned}


def speed(engine: Engine, asked: Asked) -> Metrics:
    """Return queries a second of every kind and of the plan, and the plan's latency for single queries."""
    metrics = {f"qps.{kind}": engine.queries_per_second(kind, asked.outputs) for kind in (*engine.kinds, "plan")}
    metrics |= {
        f"speedup.{kind}": metrics[f"qps.{kind}"] / metrics["qps.exact"] for kind in engine.kinds if kind != "exact"
    }
    some = asked.outputs.take(np.arange(min(TIMED_QUERIES, len(asked.queries))))
    names = ("latency.plan_p50_ms", "latency.plan_p95_ms", "latency.plan_p99_ms")
    return metrics | dict(zip(names, percentiles(engine.latencies_ms(some)), strict=True))


def recalls(k: int, found: Sequence[Sequence[int]], truth: Top) -> list[float | None]:
    """Return each query's recall at `k`, None where there is nothing to find; `found` holds keys as `truth` does."""
    shares = []
    for keys, true, scores, numbers in zip(found, truth.keys, truth.scores, truth.numbers, strict=True):
        there = numbers >= 0
        shares.append(recall_at(list(keys), true[there].tolist(), scores[there].tolist(), k))
    return shares


def _photo_keys(engine: Engine, kind: str, asked: Asked, k: int) -> list[list[int]]:
    """Return the keys of the photos that a kind finds, the query's own photo left out."""
    found = engine.photos(kind, asked.outputs, k + 1)
    return [
        [key_of(digest) for digest in digests if query.cross or digest != query.digest][:k]
        for query, digests in zip(asked.queries, found, strict=True)
    ]


def _result_keys(found: Ids, labels: Mapping[str, Label]) -> list[list[int]]:
    return [[key_of(labels[item_id].fold) for item_id in ids if item_id in labels] for ids in found]
