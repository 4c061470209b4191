"""Ask an index the queries, and turn its answers into metrics.

Owns which questions are asked: with how many results, with and without the test split. Knows no Beam and writes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.evaluate import quality
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.gallery import key_of
from pipelines.evaluate.labels import Label
from pipelines.evaluate.measures import percentiles
from pipelines.evaluate.model import Slots
from pipelines.evaluate.quality import Metrics, Relevance
from pipelines.evaluate.queries import Query
from pipelines.evaluate.scan import Tops
from pipelines.evaluate.vectors import Vectors
from pipelines.models.outputs import QueryOutputs

Ids = list[list[str]]

TIMED_QUERIES = 300
DEPTHS = (1, 10, 100)


@dataclass(frozen=True)
class Asked:
    """The queries with what a model says of them; `own` are the items that a query may not find."""

    queries: list[Query]
    vectors: Vectors
    outputs: QueryOutputs
    own: list[list[str]]

    @property
    def judged(self) -> list[int]:
        """Return which queries tell retrieval quality: held out and with a category."""
        return [n for n, query in enumerate(self.queries) if query.held_out and query.path]


@dataclass(frozen=True)
class Truth:
    """What exact search of the gallery finds: as keys (`tops`), as photos, and as items without the test split."""

    tops: Tops
    photos: list[list[bytes]]
    items: Ids


@dataclass(frozen=True)
class Answers:
    """Item ids that a release finds for every query, best first.

    `ten` and `hundred` of the whole gallery by the plan, `found` its best 10 before re-ranking; `kept_…` what retrieval
    quality is judged on, by the plan, by exact search and by code alone (empty without a binary index).
    """

    ten: Ids
    hundred: Ids
    found: Ids
    kept_ten: Ids
    kept_hundred: Ids
    exact: Ids = field(default_factory=list)
    code: Ids = field(default_factory=list)

    def item_ids(self) -> set[str]:
        """Return every item found."""
        lists = (self.ten, self.hundred, self.found, self.kept_ten, self.kept_hundred, self.exact, self.code)
        return {item_id for answers in lists for of_query in answers for item_id in of_query}


def ask(engine: Engine, asked: Asked, test_items: Sequence[str], exact: Ids) -> Answers:
    """Return what the plan finds with 10 and with 100 results wanted: who asks for few gets fewer candidates."""
    engine.leave_out(test_items)
    ten, hundred = (_ids(engine.results(asked.outputs, k, asked.own)) for k in (10, 100))
    inside = [n for n, query in enumerate(asked.queries) if not query.cross]
    some, own = asked.outputs.take(np.array(inside, np.int64)), [asked.own[n] for n in inside]
    kept_ten, kept_hundred = (_ids(engine.results(some, k, own, kept=True)) if inside else [] for k in (10, 100))
    code: Ids = []
    if "binary" in engine.kinds:
        code = _ids(engine.by_code(asked.outputs, 100, asked.own, kept=False))
        code = _replaced(code, inside, _ids(engine.by_code(some, 100, own, kept=True)) if inside else [])
    found = _ids(engine.candidates(asked.outputs, 10, asked.own))
    kept_ten, kept_hundred = _replaced(ten, inside, kept_ten), _replaced(hundred, inside, kept_hundred)
    return Answers(ten, hundred, found, kept_ten, kept_hundred, exact, code)


def index_quality(engine: Engine, asked: Asked, truth: Truth, answers: Answers, labels: Mapping[str, Label]) -> Metrics:
    """Return recall of every kind and of the plan against exact search, and the coverage of the index."""
    tops = truth.tops
    metrics = _coverage(engine, truth.photos)
    for kind in engine.kinds:
        for k, found in ((10, _photo_keys(engine, kind, asked, 10)), (100, _photo_keys(engine, kind, asked, 100))):
            for depth in (1, 10) if k == 10 else (100,):
                metrics |= quality.recall(kind, depth, found, tops.photos)
    ten, hundred, best = (_result_keys(ids, labels) for ids in (answers.ten, answers.hundred, answers.found))
    metrics |= quality.recall("candidates", 10, best, tops.results)
    for depth in DEPTHS:
        metrics |= quality.recall("plan", depth, hundred if depth == 100 else ten, tops.results)
    return metrics


def itself_first(engine: Engine, asked: Asked) -> Metrics:
    """Return how many photos of the gallery find an item with this very photo first, when nothing is left out."""
    inside = [n for n, query in enumerate(asked.queries) if not query.cross]
    if not inside:
        return {}
    found = _ids(engine.results(asked.outputs.take(np.array(inside, np.int64)), 10))
    hits = [bool(ids) and ids[0] in asked.own[n] for ids, n in zip(found, inside, strict=True)]
    return {"parity.itself_first": float(np.mean(hits))}


def scanning(engine: Engine, asked: Asked, slots: Slots) -> Metrics:
    """Return how much of the codes a plan scans, and how often the leaf of a held-out query is among it."""
    judged = asked.judged
    if not judged:
        return {}
    leaves = [slots.leaf(asked.queries[n].path) for n in judged]
    own = [asked.own[n] for n in judged]
    found = engine.coverage(asked.outputs.take(np.array(judged, np.int64)), own, leaves)
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


def retrieval_quality(
    asked: Asked, answers: Answers, labels: Mapping[str, Label], relevance: Relevance, attributes: Sequence[str]
) -> Metrics:
    """Return all measures of what is found on held-out queries; `labels` hold the queries' own items too."""
    chosen = asked.judged
    if not chosen:
        return {}
    queries = [asked.queries[n] for n in chosen]
    ten, hundred = ([lists[n] for n in chosen] for lists in (answers.kept_ten, answers.kept_hundred))
    metrics = quality.retrieval("retrieval.", queries, ten, hundred, labels, relevance)
    metrics |= quality.attainable(queries, relevance)
    metrics |= quality.retrieval_by_level(queries, ten, hundred, labels, relevance)
    metrics |= quality.retrieval_with("retrieval.", queries, ten, labels, attributes)
    metrics |= quality.gain(queries, ten, labels, relevance)
    for name, lists in (("exact", answers.exact), ("hamming", answers.code)):
        if lists:
            some = [lists[n] for n in chosen]
            metrics |= quality.retrieval(f"retrieval.{name}_", queries, some, some, labels, relevance)
            metrics |= quality.retrieval_with(f"retrieval.{name}_", queries, some, labels, attributes)
    precisions = quality.precision_by_query(queries, ten, labels)
    metrics |= quality.worst_categories(queries, precisions)[0] | quality.by_leaf(queries, precisions)
    return metrics | quality.same_item(queries, ten, [query.item_id in labels for query in queries])


def _coverage(engine: Engine, photos: Sequence[Sequence[bytes]]) -> Metrics:
    true = [digest for of_query in photos for digest in of_query[:10]]
    held = engine.held(set(true))
    return {"gallery.coverage": sum(digest in held for digest in true) / len(true)} if true else {}


def _photo_keys(engine: Engine, kind: str, asked: Asked, k: int) -> list[list[int]]:
    """Return the keys of the photos that a kind finds, the query's own photo left out."""
    found = engine.photos(kind, asked.outputs, k + 1)
    return [
        [key_of(digest) for digest in digests if query.cross or digest != query.digest][:k]
        for query, digests in zip(asked.queries, found, strict=True)
    ]


def _result_keys(found: Ids, labels: Mapping[str, Label]) -> list[list[int]]:
    return [[key_of(labels[item_id].fold) for item_id in ids if item_id in labels] for ids in found]


def _ids(found: Sequence[Sequence[object]]) -> Ids:
    return [[result.item_id for result in results] for results in found]  # type: ignore[attr-defined]


def _replaced(lists: Ids, places: Sequence[int], by: Ids) -> Ids:
    replaced = list(lists)
    for place, ids in zip(places, by, strict=True):
        replaced[place] = ids
    return replaced
