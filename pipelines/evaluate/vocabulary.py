"""The vocabulary of `metrics.json`: every stable name, its unit, its better direction and its meaning.

Owns the words. Knows neither how a metric is measured nor how names are looked up. Imports nothing heavy.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", ""]

KIND = "(exact|hnsw|ivf_pca|binary)"
K = r"(1|10|100)"
PLACEHOLDERS = {
    "{kind}": KIND,
    "{k}": K,
    "{level}": r"(leaf|l[1-9]\d*)",
    "{attribute}": r"[^.]+",
    "{search}": "(exact|hamming)",
    "{path}": ".+",
    "{stage}": "(catalogue|preprocess|train|embed|index)",
    "{count}": "(in|ok|skipped|rejected)",
}


@dataclass(frozen=True)
class Metric:
    """One documented name, or a family of them with a `{placeholder}`; `better` is empty for what cannot be a gate."""

    name: str
    better: Better
    unit: str
    meaning: str

    def matches(self, name: str) -> bool:
        """Tell whether a concrete name belongs to this metric."""
        return _pattern(self.name).fullmatch(name) is not None


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    pattern = re.escape(name)
    for placeholder, expression in PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(placeholder), expression)
    return re.compile(pattern)


SECTIONS: dict[str, list[Metric]] = {
    "What was measured": [
        Metric("queries.count", "", "queries", "queries measured"),
        Metric(
            "queries.held_out",
            "",
            "queries",
            "of them, of items in the test split: what retrieval and category are measured on",
        ),
        Metric(
            "queries.cross",
            "",
            "queries",
            "of them, photos of roles that the gallery does not hold, such as street photos",
        ),
        Metric("gallery.photos", "", "photos", "distinct active photos that should be found"),
        Metric("gallery.results", "", "results", "items, or groups of variants, that should be found"),
        Metric(
            "gallery.coverage",
            "higher",
            "share",
            "of the queries' true best 10 photos, those that the index holds at all",
        ),
    ],
    "Index quality": [
        Metric(
            "parity.embedding",
            "lower",
            "difference",
            "largest difference in any dimension between a query's stored vector and the one that serving computes",
        ),
        Metric(
            "parity.itself_first",
            "higher",
            "share",
            "of the queries that are photos of the gallery, those whose first result is an item with this very photo",
        ),
        Metric(
            "recall.{kind}_at_{k}",
            "higher",
            "share",
            "of the true best k photos, by exact search of all active vectors, those among the first k found",
        ),
        Metric("recall.{kind}_at_{k}_lower", "higher", "share", "its lower 95 % bound (Wilson, n = queries)"),
        Metric(
            "recall.plan_at_{k}",
            "higher",
            "share",
            "of the true best k results of the whole gallery, those among the first k of the query plan",
        ),
        Metric("recall.plan_at_{k}_lower", "higher", "share", "its lower 95 % bound (Wilson, n = queries)"),
        Metric(
            "recall.candidates_at_10",
            "higher",
            "share",
            "the same of the plan without its re-ranking by category, attributes and signals: what it misses, not "
            "what it orders otherwise",
        ),
        Metric("recall.candidates_at_10_lower", "higher", "share", "its lower 95 % bound (Wilson, n = queries)"),
        Metric(
            "plan.scanned_share",
            "lower",
            "share",
            "of the index's codes, those that a held-out query is compared with at first",
        ),
        Metric(
            "plan.true_leaf_scanned",
            "higher",
            "share",
            "held-out queries of which the plan scans the true leaf category, of those whose leaf the index holds",
        ),
        Metric("qps.{kind}", "higher", "queries/s", "queries a second of the index alone, in batches, on this machine"),
        Metric(
            "qps.plan", "higher", "queries/s", "queries a second of the whole query plan, in batches, on this machine"
        ),
        Metric("speedup.{kind}", "higher", "ratio", "queries a second beside those of exact search in the same run"),
    ],
    "Retrieval quality, on held-out items": [
        Metric(
            "retrieval.p_at_10",
            "higher",
            "share",
            "of the first 10 results of the plan, those of the query's leaf category",
        ),
        Metric(
            "retrieval.attainable_p_at_10",
            "higher",
            "share",
            "the most that `retrieval.p_at_10` could be: a query's leaf may hold fewer than 10 other items",
        ),
        Metric(
            "retrieval.map_at_100",
            "higher",
            "share",
            "mean average precision of the plan's first 100 by leaf category, over min(relevant, 100)",
        ),
        Metric(
            "retrieval.ndcg_at_10",
            "higher",
            "share",
            "discounted gain of the first 10; a result's gain is how much of the query's path it shares",
        ),
        Metric(
            "retrieval.p_at_10_{level}", "higher", "share", "the same precision by a level of the taxonomy, l1 the top"
        ),
        Metric(
            "retrieval.map_at_100_{level}",
            "higher",
            "share",
            "the same mean average precision by a level of the taxonomy",
        ),
        Metric(
            "retrieval.leaf_{attribute}_p_at_10",
            "higher",
            "share",
            "results of the query's leaf and the same value of an attribute",
        ),
        Metric(
            "retrieval.worst_decile_p_at_10",
            "higher",
            "share",
            "precision of the queries of the worst tenth of the leaf categories (of 5 queries or more), pooled",
        ),
        Metric(
            "retrieval.same_item_hit_at_1",
            "higher",
            "share",
            "queries of other photos of an item in the gallery that find it first",
        ),
        Metric(
            "retrieval.same_item_hit_at_5",
            "higher",
            "share",
            "queries of other photos of an item in the gallery that find it in the first 5",
        ),
        Metric(
            "retrieval.{search}_p_at_10",
            "higher",
            "share",
            "precision by leaf of exact search, or of the hash before the re-rank",
        ),
        Metric("retrieval.{search}_map_at_100", "higher", "share", "mean average precision by leaf of the same"),
        Metric(
            "retrieval.{search}_leaf_{attribute}_p_at_10",
            "higher",
            "share",
            "precision by leaf and attribute of the same",
        ),
    ],
    "Categories of the model, on held-out items": [
        Metric(
            "category.{level}_top1", "higher", "share", "queries whose most probable category of the level is right"
        ),
        Metric("category.{level}_macro", "higher", "share", "the mean of that over categories of 10 queries or more"),
        Metric("category.{level}_macro_all", "higher", "share", "the mean of that over all categories seen"),
        Metric("category.unknown", "lower", "share", "queries whose leaf category the model has never learned"),
    ],
    "Drift against the live release": [
        Metric(
            "drift.overlap_at_10",
            "higher",
            "share",
            "of the first 10 results, those that the live release gives for the same photo",
        ),
        Metric(
            "drift.centroid",
            "lower",
            "cosine distance",
            "between the mean vectors of both galleries, in one vector space only",
        ),
        Metric(
            "drift.query",
            "lower",
            "cosine distance",
            "mean between both models' vectors of the same photos, in one vector space only",
        ),
        Metric("drift.items_new", "lower", "share", "items that the live release does not have, of ours"),
        Metric("drift.items_removed", "lower", "share", "items of the live release that are gone, of its"),
    ],
    "Latency": [
        Metric(
            "latency.plan_p50_ms", "lower", "ms", "one query through the plan on this machine, after the model; median"
        ),
        Metric("latency.plan_p95_ms", "lower", "ms", "the same, 95th percentile"),
        Metric("latency.plan_p99_ms", "lower", "ms", "the same, 99th percentile"),
    ],
    "Every leaf category, on held-out items": [
        Metric("leaf.{path}.p_at_10", "higher", "share", "precision at 10 of the queries of one leaf category"),
        Metric("leaf.{path}.queries", "", "queries", "how many they are"),
    ],
    "The run": [
        Metric(
            "ledger.{stage}_{count}",
            "",
            "records",
            "records of an earlier stage of the run; in = ok + skipped + rejected",
        ),
        Metric("seconds.{stage}", "", "s", "how long the stage took"),
    ],
}
