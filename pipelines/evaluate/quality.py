"""From what was found to numbers under their documented names.

Owns which measures make a release's metrics. Pure: results, truth and labels in, `{name: value}` out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.evaluate import labels as known
from pipelines.evaluate.labels import Label
from pipelines.evaluate.measures import (
    average_precision_at,
    bounded_mean,
    by_group,
    hit_at,
    macro_mean,
    mean,
    ndcg_at,
    precision_at,
    recall_at,
    worst_share,
)
from pipelines.evaluate.model import Slots
from pipelines.evaluate.queries import Query
from pipelines.evaluate.truth import Top
from pipelines.tables.taxonomy import category_value

Metrics = dict[str, float]
Lists = Sequence[Sequence[str]]
Path = tuple[str, ...]

WORST_SHARE = 0.1
MIN_QUERIES_A_LEAF = 5
MIN_QUERIES_MACRO = 10
UNKNOWN = -2
"""No slot; differs from the -1 of a place without a prediction."""


@dataclass(frozen=True)
class Relevance:
    """How many results of each category there are to find: by leaf path, and by every prefix of a path.

    `whole` counts the gallery, which queries of other roles are judged on; `kept` leaves out the test split.
    """

    whole: tuple[Counter[Path], Counter[Path]]
    kept: tuple[Counter[Path], Counter[Path]]

    @classmethod
    def of(cls, whole: Mapping[Path, int], kept: Mapping[Path, int]) -> Relevance:
        """Return the counts of prefixes beside those of leaves."""
        return cls(_with_prefixes(whole), _with_prefixes(kept))

    def total(self, query: Query, depth: int | None = None) -> int:
        """Return how many results share the query's leaf, or the first `depth` parts of its path."""
        leaves, prefixes = self.whole if query.cross else self.kept
        return leaves[query.path] if depth is None else prefixes[query.path[:depth]]


def _with_prefixes(leaves: Mapping[Path, int]) -> tuple[Counter[Path], Counter[Path]]:
    prefixes: Counter[Path] = Counter()
    for path, count in leaves.items():
        for depth in range(1, len(path) + 1):
            prefixes[path[:depth]] += count
    return Counter(leaves), prefixes


def recall(name: str, k: int, found: Sequence[Sequence[int]], truth: Top) -> Metrics:
    """Return recall at `k` with its bound; `found` holds keys as `truth.keys` does."""
    shares = []
    for keys, true, scores, numbers in zip(found, truth.keys, truth.scores, truth.numbers, strict=True):
        there = numbers >= 0
        share = recall_at(list(keys), true[there].tolist(), scores[there].tolist(), k)
        if share is not None:
            shares.append(share)
    if not shares:
        return {}
    bound = bounded_mean(shares)
    return {f"recall.{name}_at_{k}": bound.value, f"recall.{name}_at_{k}_lower": bound.lower}


def precision_by_query(queries: Sequence[Query], found: Lists, labels: Mapping[str, Label]) -> list[float]:
    """Return each query's precision at 10 by leaf."""
    return [precision_at(known.relevant(q, ids, labels), 10) for q, ids in zip(queries, found, strict=True)]


def retrieval(
    prefix: str, queries: Sequence[Query], ten: Lists, hundred: Lists, labels: Mapping[str, Label], relevance: Relevance
) -> Metrics:
    """Return precision at 10 (of `ten`) and mean average precision at 100 (of `hundred`) by leaf."""
    if not queries:
        return {}
    metrics = {f"{prefix}p_at_10": float(np.mean(precision_by_query(queries, ten, labels)))}
    value = mean(_average_precision(queries, hundred, labels, relevance, None))
    return metrics | ({} if value is None else {f"{prefix}map_at_100": value})


def attainable(queries: Sequence[Query], relevance: Relevance) -> Metrics:
    """Return the most that precision at 10 by leaf could be, given how many items of its leaf each query may find."""
    return {"retrieval.attainable_p_at_10": float(np.mean([min(10, relevance.total(q)) / 10 for q in queries]))}


def retrieval_by_level(
    queries: Sequence[Query], ten: Lists, hundred: Lists, labels: Mapping[str, Label], relevance: Relevance
) -> Metrics:
    """Return the same by every level of the taxonomy, over the queries that are as deep."""
    metrics: Metrics = {}
    leaf = retrieval("retrieval.", queries, ten, hundred, labels, relevance)
    metrics |= {f"{name}_leaf": value for name, value in leaf.items()}
    for depth in range(1, 1 + max((len(query.path) for query in queries), default=0)):
        deep = [number for number, query in enumerate(queries) if len(query.path) >= depth]
        some = [queries[number] for number in deep]
        precisions = [precision_at(known.relevant(queries[n], ten[n], labels, depth), 10) for n in deep]
        average = mean(_average_precision(some, [hundred[n] for n in deep], labels, relevance, depth))
        metrics[f"retrieval.p_at_10_l{depth}"] = float(np.mean(precisions))
        if average is not None:
            metrics[f"retrieval.map_at_100_l{depth}"] = average
    return metrics


def retrieval_with(
    prefix: str, queries: Sequence[Query], ten: Lists, labels: Mapping[str, Label], attributes: Sequence[str]
) -> Metrics:
    """Return precision at 10 by leaf and value of each attribute, over the queries that have a value."""
    metrics: Metrics = {}
    for name in attributes:
        values = [
            precision_at(known.relevant_with(query, ids, labels, name), 10)
            for query, ids in zip(queries, ten, strict=True)
            if query.attributes.get(name)
        ]
        if values:
            metrics[f"{prefix}leaf_{name}_p_at_10"] = float(np.mean(values))
    return metrics


def gain(queries: Sequence[Query], ten: Lists, labels: Mapping[str, Label], relevance: Relevance) -> Metrics:
    """Return the normalised discounted gain at 10 by shared path; the ideal is what the gallery holds."""
    values = []
    for query, found in zip(queries, ten, strict=True):
        ideal: list[float] = []
        for depth in range(len(query.path), 0, -1):
            total = relevance.total(query, depth)
            ideal += [depth / len(query.path)] * max(0, min(10, total) - len(ideal))
        values.append(ndcg_at(known.gains(query, found, labels), ideal, 10))
    value = mean(values)
    return {} if value is None else {"retrieval.ndcg_at_10": value}


def worst_categories(queries: Sequence[Query], precisions: Sequence[float]) -> tuple[Metrics, list[str]]:
    """Return the pooled precision of the worst tenth of the leaf categories, and which they are."""
    worst = worst_share(by_group(precisions, [query.leaf for query in queries]), WORST_SHARE, MIN_QUERIES_A_LEAF)
    if worst is None:
        return {}, []
    return {"retrieval.worst_decile_p_at_10": worst[0]}, [str(name) for name in worst[1]]


def by_leaf(queries: Sequence[Query], precisions: Sequence[float]) -> Metrics:
    """Return the precision of every leaf category and how many queries it rests on."""
    metrics: Metrics = {}
    for leaf, values in by_group(precisions, [query.leaf for query in queries]).items():
        metrics[f"leaf.{leaf}.p_at_10"] = float(np.mean(values))
        metrics[f"leaf.{leaf}.queries"] = float(len(values))
    return metrics


def same_item(queries: Sequence[Query], ten: Lists, in_gallery: Sequence[bool]) -> Metrics:
    """Return how often a query of another photo of a gallery item finds that item first, and in the first five."""
    pairs = [(q, ids) for q, ids, there in zip(queries, ten, in_gallery, strict=True) if q.cross and there]
    if not pairs:
        return {}
    return {
        f"retrieval.same_item_hit_at_{k}": float(np.mean([hit_at(ids, q.item_id, k) for q, ids in pairs]))
        for k in (1, 5)
    }


def categories(
    queries: Sequence[Query],
    predicted: Sequence[Sequence[int]],
    slots: Slots,
    learned: frozenset[int],
) -> Metrics:
    """Return the accuracy of the model's most probable category at every level, and of its most probable leaf.

    `predicted` `[num_queries][levels + 1]` slots, the leaf's last; `learned`: the leaves that had photos enough. A leaf
    that was never learned is wrong.
    """
    metrics: Metrics = {}
    true = [_slots_of(query, slots.levels) for query in queries]
    for level in range(len(slots.levels)):
        deep = [number for number, query in enumerate(queries) if len(query.path) > level]
        right = [predicted[n][level] == true[n][level] for n in deep]
        metrics |= _accuracy(f"l{level + 1}", right, [queries[n].path[: level + 1] for n in deep])
    labelled = [number for number, query in enumerate(queries) if query.path]
    leaves = [slots.leaf(queries[number].path) for number in labelled]
    right = [leaf >= 0 and predicted[number][-1] == leaf for number, leaf in zip(labelled, leaves, strict=True)]
    metrics |= _accuracy("leaf", right, [queries[number].path for number in labelled])
    if leaves:
        metrics["category.unknown"] = float(np.mean([leaf not in learned for leaf in leaves]))
    return metrics


def _accuracy(level: str, correct: Sequence[bool], paths: Sequence[Path]) -> Metrics:
    values = [float(right) for right in correct]
    found = {
        f"category.{level}_top1": mean(values),
        f"category.{level}_macro": macro_mean(values, paths, MIN_QUERIES_MACRO),
        f"category.{level}_macro_all": macro_mean(values, paths),
    }
    return {name: value for name, value in found.items() if value is not None}


def _slots_of(query: Query, slots: Sequence[Mapping[str, int]]) -> list[int]:
    return [known.get(category_value(query.path, level), UNKNOWN) for level, known in enumerate(slots)]


def _average_precision(
    queries: Sequence[Query], found: Lists, labels: Mapping[str, Label], relevance: Relevance, depth: int | None
) -> list[float | None]:
    return [
        average_precision_at(known.relevant(query, ids, labels, depth), relevance.total(query, depth), 100)
        for query, ids in zip(queries, found, strict=True)
    ]
