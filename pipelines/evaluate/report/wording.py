"""Numbers in plain words, for the top of the report.

Owns the sentences. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.evaluate.quality import MIN_QUERIES_A_LEAF, TOO_FEW_FOR_WORST, WORST
from pipelines.evaluate.vocabulary import describe, queries_for
from pipelines.releases.gate import Gate, tally

Metrics = Mapping[str, float]

HEADLINES = (
    ("retrieval.p_at_10", "of 10 results share the category"),
    ("retrieval.same_item_hit_at_5", "find the very item in the first 5"),
    ("category.leaf_top1", "categories named right"),
    ("recall.plan_at_10", "of the true best 10 are found"),
    ("latency.plan_p95_ms", "for 95 of 100 searches"),
    ("drift.overlap_at_10", "of 10 results as live"),
)


@dataclass(frozen=True)
class Headline:
    """One large number with its caption and its change against live, in words."""

    name: str
    value: str
    caption: str
    change: str
    better: bool


def shown(value: float | None, unit: str = "share") -> str:
    """Return a number as the report prints it; an en dash for what was not measured."""
    if value is None:
        return "–"
    if unit in {"queries", "photos", "results", "records"}:
        return f"{value:,.0f}"
    if unit == "queries/s":
        return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    if unit == "ratio":
        return f"{value:.1f} ×"
    if unit in {"ms", "s"}:
        return f"{value:,.1f} {unit}"
    return f"{value:.3f}"


def summary(metrics: Metrics, gates: Sequence[Gate], has_live: bool) -> list[str]:
    """Return the report's first sentences."""
    sentences = [_verdict(gates), _asked(metrics)]
    if "recall.plan_at_10" in metrics:
        sentences.append(_found(metrics))
    if "retrieval.p_at_10" in metrics:
        sentences.append(_alike(metrics))
    if "retrieval.same_item_hit_at_1" in metrics:
        sentences.append(_very_item(metrics))
    return [*sentences, _compared(metrics)] if has_live else sentences


def worst_tenth(metrics: Metrics) -> str:
    """Return what the worst tenth of the leaf categories comes to, or why that was not measured."""
    if WORST not in metrics:
        return f"What the worst tenth of them comes to was not measured: it {TOO_FEW_FOR_WORST}."
    return (
        f"The worst tenth of those with {MIN_QUERIES_A_LEAF} queries or more in a half of all, chosen by one half and "
        f"measured by the other, pooled, has a P@10 of {shown(metrics[WORST])}{measured_on(metrics, WORST)}."
    )


def headlines(metrics: Metrics, live: Metrics | None) -> list[Headline]:
    """Return the large numbers at the top, at most five."""
    found = []
    for name, caption in HEADLINES:
        if name in metrics:
            change, better = _change(name, metrics[name], (live or {}).get(name))
            words = f"{caption}{measured_on(metrics, name)}"
            found.append(Headline(name, _large(name, metrics[name]), words, change, better))
    return found[:5]


def measured_on(metrics: Metrics, name: str) -> str:
    """Return in brackets how many queries a metric was measured on, "" where these are all that were asked."""
    count = queries_for(metrics, name)
    return "" if count is None or count == metrics["queries.count"] else f" ({_queries(count)})"


def _alike(metrics: Metrics) -> str:
    alike, possible = (10 * metrics[f"retrieval.{name}p_at_10"] for name in ("", "attainable_"))
    asked = measured_on(metrics, "retrieval.p_at_10")
    if not possible:
        return f"No query had another item of its own category that could be found{asked}."
    told = f"Of 10 results, {alike:.1f} on average are of the query's own category"
    return f"{told}, of {possible:.1f} that could be{asked}."


def _queries(count: int) -> str:
    return "1 query" if count == 1 else f"{count:,} queries"


def _very_item(metrics: Metrics) -> str:
    first, five = metrics["retrieval.same_item_hit_at_1"], metrics["retrieval.same_item_hit_at_5"]
    count = queries_for(metrics, "retrieval.same_item_hit_at_1")
    which = "Photos" if count is None else "The 1 photo" if count == 1 else f"The {count:,} photos"
    return (
        f"{which} of roles that the gallery does not hold, such as street photos, find their very item first in "
        f"{first:.0%} of the cases, in the first five in {five:.0%}."
    )


def _verdict(gates: Sequence[Gate]) -> str:
    failed = [gate for gate in gates if not gate.passed]
    if not gates:
        return "No gates are set, so the release is blessed as it is."
    if not failed:
        return f"The release may go live: it passed {tally(gates)}."
    why = "; ".join(gate.sentence() for gate in failed)
    return f"The release failed {len(failed)} of {len(gates)} gates and is not blessed: {why}."


def _found(metrics: Metrics) -> str:
    found, median = 10 * metrics["recall.plan_at_10"], metrics.get("latency.plan_p50_ms")
    speed = "" if median is None else f", in {median:.1f} ms for a single query"
    candidates = metrics.get("recall.candidates_at_10")
    before = "" if candidates is None else f"; before it re-ranks them, {10 * candidates:.1f}"
    return f"Of the true best 10 results the query plan finds {found:.1f} on average{speed}{before}."


def _asked(metrics: Metrics) -> str:
    count, held = int(metrics["queries.count"]), int(metrics["queries.held_out"])
    kept = "photos kept out of training"
    what = kept if held == count else f"{held:,} of them {kept}" if held else "photos that training may have seen"
    items, photos = int(metrics["gallery.results"]), int(metrics["gallery.photos"])
    return f"It was asked {_queries(count)}, {what}, in a gallery of {items:,} items with {photos:,} distinct photos."


def _compared(metrics: Metrics) -> str:
    new, gone, overlap = (metrics.get(f"drift.{name}") for name in ("found_new", "found_removed", "overlap_at_10"))
    parts = []
    if new is not None and gone is not None:
        parts.append(f"{new:.1%} of the items that a search can find are new and {gone:.1%} are gone")
    if overlap is not None:
        parts.append(f"{10 * overlap:.1f} of 10 results are the same")
    return f"Against the live release, {', and '.join(parts)}." if parts else "It was compared with the live release."


def _large(name: str, value: float) -> str:
    return f"{value:.1f} ms" if describe(name).unit == "ms" else f"{value:.1%}"


def _change(name: str, value: float, live: float | None) -> tuple[str, bool]:
    if live is None or name.startswith(("drift.", "latency.")):  # of another day's live release, or load
        return "", True
    metric, delta = describe(name), value - live
    better = delta >= 0 if metric.better == "higher" else delta <= 0
    text = f"{delta:+.1f} ms" if metric.unit == "ms" else f"{100 * delta:+.1f} points"
    return f"{text} against live", better
