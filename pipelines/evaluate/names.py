"""The stable names of all metrics: what each means, its unit, and which direction is better.

Owns the vocabulary of `metrics.json`, of the gates in the config, and of `docs/metrics.md`, which is generated from here.
Imports nothing heavy.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
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


class UnknownMetricError(Exception):
    """A metric name is not documented; the message names the known ones."""


@dataclass(frozen=True)
class Metric:
    """One documented name, or a family of them with a `{placeholder}`; `better` is empty for what cannot be a gate."""

    name: str
    better: Better
    unit: str
    meaning: str

    def matches(self, name: str) -> bool:
        """Tell whether a concrete name belongs to this metric."""
        pattern = re.escape(self.name)
        for placeholder, expression in PLACEHOLDERS.items():
            pattern = pattern.replace(re.escape(placeholder), expression)
        return re.fullmatch(pattern, name) is not None


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
            "recall.{kind}_at_{k}",
            "higher",
            "share",
            "of the true best k photos, by exact search over all active vectors, those among the first k that the index finds",
        ),
        Metric("recall.{kind}_at_{k}_lower", "higher", "share", "its lower 95 % bound (Wilson, n = queries)"),
        Metric(
            "recall.plan_at_{k}",
            "higher",
            "share",
            "of the true best k results over the whole gallery, those among the first k of the recipe's whole query plan",
        ),
        Metric("recall.plan_at_{k}_lower", "higher", "share", "its lower 95 % bound (Wilson, n = queries)"),
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
            "retrieval.map_at_100",
            "higher",
            "share",
            "mean average precision of the first 100 results of the plan by leaf category, over min(relevant items, 100)",
        ),
        Metric(
            "retrieval.ndcg_at_10",
            "higher",
            "share",
            "discounted gain of the first 10; the gain of a result is the share of the query's category path that it shares",
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
METRICS = [metric for section in SECTIONS.values() for metric in section]


def describe(name: str) -> Metric:
    """Return what a concrete name means. Raises UnknownMetricError that names the known ones."""
    for metric in METRICS:
        if metric.matches(name):
            return metric
    known = [metric.name for metric in METRICS if metric.better]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownMetricError(f"there is no metric {name!r}; {hint}known ones: {', '.join(known)}")


def check_gate_names(names: Iterable[str]) -> None:
    """Raise UnknownMetricError when a gate names what is not a metric, or one that has no better direction."""
    for name in names:
        if not describe(name).better:
            known = [metric.name for metric in METRICS if metric.better]
            raise UnknownMetricError(f"{name!r} only counts, it cannot be a gate; use one of {', '.join(known)}")


def check_documented(names: Iterable[str]) -> None:
    """Raise UnknownMetricError when a measured name is not documented."""
    for name in names:
        describe(name)


def as_markdown() -> str:
    """Return `docs/metrics.md`."""
    lines = [HEADER]
    for title, metrics in SECTIONS.items():
        lines += [f"## {title}", "", "| name | unit | better | meaning |", "|---|---|---|---|"]
        lines += [f"| `{m.name}` | {m.unit} | {m.better or '–'} | {m.meaning} |" for m in metrics]
        lines.append("")
    return "\n".join(lines)


HEADER = """# Metrics

Every number of a release's report is in its `metrics.json` under one of these names, which are stable: gates in the config, and
later releases, refer to them. This page is generated from `pipelines/evaluate/names.py`; a test compares the two.

* `{kind}` is `exact`, `hnsw`, `ivf_pca` or `binary`; `{k}` is 1, 10 or 100; `{level}` is `leaf` or `l1`, `l2`, … from the top of
  the taxonomy; `{attribute}` is an attribute of the feed, such as `colour`; `{search}` is `exact` or `hamming`.
* Shares are between 0 and 1. What could not be measured is left out, never 0.
* A gate is `floors` (no worse than a value) or `margins` (no worse than the live release by more than a value) in the section
  `[evaluate]` of the config. Where lower is better, a floor is the highest value allowed. What has no better direction cannot
  be a gate. A metric that a floor names and that could not be measured fails its gate.
* A query of a role that the gallery holds (a catalogue photo) leaves out its own item and its duplicates, and for retrieval
  quality all items of the test split (a split keeps equal titles and equal photos on one side). A query of another role (a street photo) is searched in the whole gallery.
"""
