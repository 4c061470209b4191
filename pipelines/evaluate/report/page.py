"""The report: one self-contained page with the verdict, the numbers and pictures of what a search finds.

Owns what the page says; its looks are in `templates/report.html`. Everything from the catalogue is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines.evaluate.answers import Answers
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.labels import Label
from pipelines.evaluate.quality import MIN_QUERIES_A_LEAF
from pipelines.evaluate.report import plots
from pipelines.evaluate.report.curves import read_curves
from pipelines.evaluate.report.examples import GROUPS, Example, Group, choose, picture_places
from pipelines.evaluate.report.thumbnails import thumbnails
from pipelines.evaluate.report.wording import headlines, measured_on, shown, summary, worst_tenth
from pipelines.evaluate.vocabulary import SECTIONS, describe, queries_for
from pipelines.models.facts import ModelFacts
from pipelines.releases.gate import Gate
from pipelines.runs.ledger import most_frequent_first
from pipelines.store import Store

KIND_NAMES = plots.NAMES
Cell = tuple[float | None, int | None]
"""A value and how many queries it was measured on."""
PER_LEAF = "Every leaf category, on held-out items"


@dataclass(frozen=True)
class Findings:
    """What a report is made of; `stages` are the run's finished stages and their manifests, `live` the live metrics."""

    store: Store
    manifest: Mapping[str, Any]
    metrics: Mapping[str, float]
    live: Mapping[str, float] | None
    gates: Sequence[Gate]
    stages: Sequence[tuple[str, Mapping[str, Any]]]
    model: ModelFacts
    asked: Asked
    answers: Answers
    labels: Mapping[str, Label]
    examples: int
    recipe: str
    notes: Sequence[str]


def render(findings: Findings) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("pipelines.evaluate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    return environment.get_template("report.html").render(**_content(findings))


def _content(findings: Findings) -> dict[str, Any]:
    metrics = findings.metrics
    leaves = leaf_rows(metrics)
    return {
        "manifest": findings.manifest,
        "recipe": findings.recipe,
        "notes": findings.notes,
        "summary": summary(metrics, findings.gates, findings.live is not None),
        "headlines": headlines(metrics, findings.live),
        "gates": findings.gates,
        "kinds": kind_rows(metrics),
        "metrics": metrics,
        "levels": level_rows(metrics),
        "baselines": baseline_rows(metrics),
        "leaves": sorted(leaves, key=lambda leaf: (leaf[1], leaf[0])),
        "drift": [name for name in sorted(metrics) if name.startswith("drift.")],
        "describe": describe,
        "measured_on": measured_on,
        "worst": worst_tenth(metrics),
        "few": f" of {MIN_QUERIES_A_LEAF} queries or more" if plots.large_leaves(leaves) else "",
        "stages": [_stage_row(stage, manifest) for stage, manifest in findings.stages],
        "groups": _with_pictures(findings),
        "plots": {
            "speed": plots.recall_against_speed(metrics),
            "levels": plots.retrieval_by_level(metrics),
            "leaves": plots.by_category(leaves),
            "spread": plots.precision_spread(leaves),
            "curves": plots.learning_curves(read_curves(findings.store, findings.model.model_id)),
        },
        "all_metrics": metric_rows(metrics, findings.live),
        "has_live": findings.live is not None,
    }


def kind_rows(metrics: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return one row an index kind and the plan: recall with bound, queries a second, ratio to exact."""
    rows = []
    for kind in ("exact", "hnsw", "ivf_pca", "binary", "plan"):
        if f"recall.{kind}_at_10" not in metrics:
            continue
        recall = [
            (metrics.get(f"recall.{kind}_at_{k}"), metrics.get(f"recall.{kind}_at_{k}_lower")) for k in (1, 10, 100)
        ]
        qps = metrics.get(f"qps.{kind}")
        speedup = None if qps is None or kind == "plan" else metrics.get(f"speedup.{kind}", 1.0)
        rows.append({"name": KIND_NAMES[kind], "recall": recall, "qps": qps, "speedup": speedup})
    return rows


def level_rows(metrics: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return one row a level of the taxonomy: the model's accuracy, and retrieval precision."""
    depth = sum(f"category.l{n}_top1" in metrics or f"retrieval.p_at_10_l{n}" in metrics for n in range(1, 20))
    names = [*(f"l{n}" for n in range(1, depth + 1)), "leaf"]
    columns = ("category.{}_top1", "category.{}_macro", "retrieval.p_at_10_{}", "retrieval.map_at_100_{}")
    if depth and all(metrics.get(c.format(f"l{depth}")) == metrics.get(c.format("leaf")) for c in columns):
        names.remove(f"l{depth}")  # every path is as deep: its last level is the leaf
    rows = [{"level": name, "cells": [cell(metrics, column.format(name)) for column in columns]} for name in names]
    return [row for row in rows if any(value is not None for value, _ in row["cells"])]


def cell(metrics: Mapping[str, float], name: str | None) -> Cell:
    """Return a value and how many queries it was measured on, the latter None where these are all that were asked."""
    count = queries_for(metrics, name) if name else None
    return (metrics.get(name) if name else None), (None if count == metrics.get("queries.count") else count)


def baseline_rows(metrics: Mapping[str, float]) -> list[tuple[str, list[Cell]]]:
    """Return what is measured in how many ways: held-out queries, cold items among them, those alone, no search."""
    columns = ("retrieval.{}", "retrieval.cold_{}", "retrieval.cold_only_{}", "retrieval.leaf_baseline_{}")
    attributes = sorted(
        name.removeprefix("retrieval.leaf_").removesuffix("_p_at_10")
        for name in metrics
        if describe(name).name == "retrieval.leaf_{attribute}_p_at_10"
    )
    measures = [("P@10, leaf", "p_at_10"), *((f"P@10, leaf and {a}", f"leaf_{a}_p_at_10") for a in attributes)]
    measures += [(f"same item, first {k}", f"same_item_hit_at_{k}") for k in (1, 5)]
    rows = [(words, [cell(metrics, column.format(name)) for column in columns]) for words, name in measures]
    unseen = ["unseen.p_at_10", "unseen.cold_p_at_10", None, "unseen.leaf_baseline_p_at_10"]
    rows.append(("P@10, leaves not trained on", [cell(metrics, name) for name in unseen]))
    return [(words, values) for words, values in rows if any(value is not None for value, _ in values)]


def leaf_rows(metrics: Mapping[str, float]) -> list[tuple[str, float, int]]:
    """Return (category, precision at 10, queries) of every leaf measured."""
    ends = ("leaf.", ".p_at_10")
    names = [
        name[len(ends[0]) : -len(ends[1])] for name in metrics if name.startswith(ends[0]) and name.endswith(ends[1])
    ]
    return [(name, metrics[f"leaf.{name}.p_at_10"], int(metrics[f"leaf.{name}.queries"])) for name in names]


def metric_rows(
    metrics: Mapping[str, float], live: Mapping[str, float] | None
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return all metrics by section, but for those of single leaves, which have a table of their own."""
    sections = []
    for title, known in SECTIONS.items():
        if title == PER_LEAF:
            continue
        names = [name for metric in known for name in sorted(metrics) if describe(name) is metric]
        rows = [
            {
                "name": name,
                "value": metrics[name],
                "live": (live or {}).get(name),
                "queries": queries_for(metrics, name),
                "meaning": describe(name),
            }
            for name in names
            if not name.startswith("queries.for.")
        ]
        if rows:
            sections.append((title, rows))
    return sections


def _stage_row(stage: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    rejects = most_frequent_first(manifest["rejects"])
    told = any(" rejected: " in note for note in manifest["notes"])  # such a note tells them by code, with examples
    codes = [] if told or not rejects else ["rejected " + ", ".join(f"{code} {count:,}" for code, count in rejects)]
    return {
        "stage": stage,
        **manifest["counts"],
        "seconds": manifest["seconds"],
        "notes": [*codes, *manifest["notes"]],
    }


def _with_pictures(findings: Findings) -> list[tuple[Group, list[Example]]]:
    chosen = choose(findings.asked, findings.answers, findings.labels, findings.examples)
    pictures = thumbnails(findings.store, findings.model.prep_id, picture_places(chosen))
    return [
        (group, [example.with_pictures(pictures) for example in chosen[group.name]])
        for group in GROUPS
        if chosen[group.name]
    ]
