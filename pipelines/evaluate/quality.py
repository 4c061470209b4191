"""How good the results are of single queries: from what was found to columns under the metrics' documented names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.evaluate import labels as known
from pipelines.evaluate.answers import Answers
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.labels import Label
from pipelines.evaluate.metrics import (
    Metrics,
    average_precision_at,
    by_group,
    cross_fitted_worst,
    hit_at,
    ndcg_at,
    precision_at,
)
from pipelines.evaluate.queries import Query
from pipelines.evaluate.scores import Scores

Lists = Sequence[Sequence[str]]
Path = tuple[str, ...]
Column = list[float | None]
Columns = dict[str, Column]
"""By metric a value a query, None where the query says nothing of it."""

PRECISION = "retrieval.p_at_10"
WORST_SHARE = 0.1
MIN_QUERIES_A_LEAF = 5
WORST = "retrieval.worst_decile_p_at_10"
MIN_QUERIES_A_HALF = 20
"""So many choose the worst leaves, and so many they are looked up among: fewer would find the unlucky, or the lucky."""
TOO_FEW_FOR_WORST = (
    f"needs {MIN_QUERIES_A_HALF} held-out queries or more in each half, of which one chooses the worst categories and "
    "the other measures them, and categories with queries in both"
)


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

    @property
    def leaves(self) -> list[Path]:
        """The paths of all leaves that there is something of."""
        return [path for path in self.whole[0] if any(path)]

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


@dataclass(frozen=True)
class Judge:
    """What results are judged by: the items' labels, how many there are to find, and the attributes that count."""

    labels: Mapping[str, Label]
    relevance: Relevance
    attributes: Sequence[str]

    def precision(self, prefix: str, queries: Sequence[Query], ten: Lists) -> Columns:
        """Return precision at 10 by leaf, and by leaf and each attribute of which the query has a value."""
        columns: Columns = {f"{prefix}p_at_10": list(precisions(queries, ten, self.labels))}
        for name in self.attributes:
            columns[f"{prefix}leaf_{name}_p_at_10"] = [
                precision_at(known.relevant_with(query, ids, self.labels, name), 10)
                if query.attributes.get(name)
                else None
                for query, ids in zip(queries, ten, strict=True)
            ]
        return columns

    def average_precision(self, queries: Sequence[Query], hundred: Lists, depth: int | None = None) -> Column:
        """Return average precision at 100, by leaf or the first `depth` parts of the path."""
        values: Column = []
        for query, ids in zip(queries, hundred, strict=True):
            right, total = known.relevant(query, ids, self.labels, depth), self.relevance.total(query, depth)
            deep = depth is None or len(query.path) >= depth
            values.append(average_precision_at(right, total, 100) if deep else None)
        return values

    def attainable(self, queries: Sequence[Query]) -> Columns:
        """Return the most that precision at 10 could be, given how many items of its leaf each query may find."""
        return {"retrieval.attainable_p_at_10": [min(10, self.relevance.total(query)) / 10 for query in queries]}

    def by_level(self, queries: Sequence[Query], ten: Lists, hundred: Lists) -> Columns:
        """Return precision and average precision by every level of the taxonomy, of the queries that are as deep."""
        columns: Columns = {"retrieval.p_at_10_leaf": list(precisions(queries, ten, self.labels))}
        columns["retrieval.map_at_100_leaf"] = self.average_precision(queries, hundred)
        for depth in range(1, 1 + max((len(query.path) for query in queries), default=0)):
            columns[f"retrieval.p_at_10_l{depth}"] = [
                precision_at(known.relevant(query, ids, self.labels, depth), 10) if len(query.path) >= depth else None
                for query, ids in zip(queries, ten, strict=True)
            ]
            columns[f"retrieval.map_at_100_l{depth}"] = self.average_precision(queries, hundred, depth)
        return columns

    def gain(self, queries: Sequence[Query], ten: Lists) -> Columns:
        """Return the normalised discounted gain at 10 by shared path; the ideal is what the gallery holds."""
        values = []
        for query, found in zip(queries, ten, strict=True):
            ideal: list[float] = []
            for depth in range(len(query.path), 0, -1):
                total = self.relevance.total(query, depth)
                ideal += [depth / len(query.path)] * max(0, min(10, total) - len(ideal))
            values.append(ndcg_at(known.gains(query, found, self.labels), ideal, 10))
        return {"retrieval.ndcg_at_10": values}


def retrieval_columns(asked: Asked, answers: Answers, judge: Judge) -> Columns:
    """Return all measures of what is found on judged queries; the labels hold the queries' own items too."""
    chosen = asked.judged
    queries = [asked.queries[n] for n in chosen]

    def of_chosen(lists: Lists) -> Lists:
        return [lists[n] for n in chosen]

    ten, hundred = of_chosen(answers.kept_ten), of_chosen(answers.kept_hundred)
    columns = judge.precision("retrieval.", queries, ten) | judge.attainable(queries) | judge.gain(queries, ten)
    columns["retrieval.map_at_100"] = judge.average_precision(queries, hundred)
    columns |= judge.by_level(queries, ten, hundred)
    for name, lists in (("exact", answers.exact), ("hamming", answers.code)):
        if lists:
            columns |= judge.precision(f"retrieval.{name}_", queries, of_chosen(lists))
            columns[f"retrieval.{name}_map_at_100"] = judge.average_precision(queries, of_chosen(lists))
    cross = [query.cross and query.item_id in judge.labels for query in queries]
    cold = of_chosen(answers.cold)
    columns |= same_item("retrieval.", queries, ten, cross)
    if not any(answers.cold_only):  # the gallery holds nothing of the test split
        return columns
    columns |= judge.precision("retrieval.cold_", queries, cold)
    columns |= judge.precision("retrieval.cold_only_", queries, of_chosen(answers.cold_only))
    return columns | same_item("retrieval.cold_", queries, cold, [answers.again[n] for n in chosen])


def precisions(queries: Sequence[Query], found: Lists, labels: Mapping[str, Label]) -> list[float]:
    """Return each query's precision at 10 by leaf."""
    return [precision_at(known.relevant(q, ids, labels), 10) for q, ids in zip(queries, found, strict=True)]


def same_item(prefix: str, queries: Sequence[Query], ten: Lists, there: Sequence[bool]) -> Columns:
    """Return whether a query finds its own item first, and in the first five, where another photo of it is `there`."""
    return {
        f"{prefix}same_item_hit_at_{k}": [
            float(hit_at(ids, query.item_id, k)) if shown else None
            for query, ids, shown in zip(queries, ten, there, strict=True)
        ]
        for k in (1, 5)
    }


def add_worst_leaves(scores: Scores) -> None:
    """Add the precision of the queries of the worst tenth of the leaves; each leaf is chosen by other queries.

    Of few queries nothing is added: the leaf that one half finds the worst may be the best of the other.
    """
    values, places = scores.values(PRECISION)
    queries = [scores.queries[n] for n in places]
    half = [bool(query.group[0] & 1) for query in queries]
    if min(sum(half), len(half) - sum(half)) < MIN_QUERIES_A_HALF:
        return
    leaves = [query.leaf for query in queries]
    worst = cross_fitted_worst(values, leaves, half, WORST_SHARE, MIN_QUERIES_A_LEAF)
    scores.add(WORST, [values[n] for n in worst], [places[n] for n in worst])


UNSEEN = {
    "unseen.p_at_10": PRECISION,
    "unseen.map_at_100": "retrieval.map_at_100",
    "unseen.cold_p_at_10": "retrieval.cold_p_at_10",
    "unseen.leaf_baseline_p_at_10": "retrieval.leaf_baseline_p_at_10",
    "unseen.same_item_hit_at_5": "retrieval.same_item_hit_at_5",
}


def add_unseen(scores: Scores, seen: Sequence[bool]) -> None:
    """Add measures of the queries whose leaves training has not `seen`, out of those of all queries."""
    for name, of_all in UNSEEN.items():
        if of_all in scores.columns:
            scores.add(name, np.where(seen, np.nan, scores.columns[of_all]).tolist())


def by_leaf(scores: Scores) -> Metrics:
    """Return the precision of every leaf category and how many queries it rests on."""
    if PRECISION not in scores.columns:
        return {}
    values, places = scores.values(PRECISION)
    metrics: Metrics = {}
    for leaf, of_leaf in by_group(values, [scores.queries[n].leaf for n in places]).items():
        metrics[f"leaf.{leaf}.p_at_10"] = float(np.mean(of_leaf))
        metrics[f"leaf.{leaf}.queries"] = float(len(of_leaf))
    return metrics
