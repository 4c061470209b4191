"""A run's release, measured anew: what it holds, what was measured of it, how it was judged, and its report."""

from __future__ import annotations

import json
from typing import Any

from pipelines.evaluate.gates import blessed, judge, lead_over_colours, refusal
from pipelines.evaluate.measurement import Measured, measure
from pipelines.evaluate.report.page import Findings, render
from pipelines.evaluate.rivals import anchors, expanded, rival_of
from pipelines.models.effort import short_training
from pipelines.releases import publish as release
from pipelines.releases.gate import Gate
from pipelines.releases.measures import CENTROID, METRICS, QUERIES, Measures, metrics_json, read_measures
from pipelines.releases.publish import REPORT
from pipelines.releases.release import Release
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import IndexOutputs
from pipelines.runs.stages import STAGES
from pipelines.store import parquet


def measured_and_judged(
    context: RunContext, live: Release | None, origin: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Measure the run's index, judge it, and return the release's manifest, which has `origin`, and its files.

    Raises StageError when there is nothing to measure.
    """
    measured = measure(context, live)
    beside = None if live is None else read_measures(context.store, live.release_id)
    gates = _gates(context, measured, beside)
    manifest = release.named(origin | _contents(context, measured, gates))
    files = {
        METRICS: metrics_json(measured.metrics),
        CENTROID: json.dumps({"space_id": measured.model.space_id, "mean": measured.centroid}).encode(),
        QUERIES: parquet.encoded(measured.table),
        REPORT: render(_findings(context, manifest, measured, gates, beside)).encode(),
    }
    return manifest, files


def _gates(context: RunContext, measured: Measured, live: Measures | None) -> list[Gate]:
    """Judge by the floors, by colour histograms, beside live, and beside the best of the last releases."""
    section = context.config.evaluate
    floors = expanded(section.floors, measured.metrics)
    margins = expanded(section.margins, [*measured.metrics, *(live.metrics if live else ())])
    beside = None if live is None else rival_of(live, measured.table, margins, measured.asked_again)
    earlier = anchors(context.store, section.anchor_releases)
    rivals = [rival_of(measures, measured.table, margins) for measures in earlier]
    gates = judge(measured.metrics, beside, rivals, floors, margins)
    return [*gates, lead_over_colours(measured.gain, section.histogram_margin)]


def _contents(context: RunContext, measured: Measured, gates: list[Gate]) -> dict[str, Any]:
    """Return what a manifest says of the release's parts and of what was measured of them."""
    store, model, index_id = context.store, measured.model, context.outputs(IndexOutputs).index_id
    return {
        "model": release.reference(store, f"models/{model.model_id}", model_id=model.model_id, space_id=model.space_id),
        "index": release.reference(store, f"indexes/{index_id}", index_id=index_id),
        "gates": [gate.as_dict() for gate in gates],
        "blessed": blessed(gates),
        "refusal": _refusal(context, model.model_id, gates),
        "notes": measured.notes,
        "ledger": [measured.sampled, len(measured.asked.queries)],
        "measured_by": context.run_id,
    }


def _refusal(context: RunContext, model_id: str, gates: list[Gate]) -> str | None:
    """Return why the release is not blessed, first that its model was hardly trained, where that is so."""
    refused = refusal(gates)
    short = refused and short_training(context.store.read_json(f"models/{model_id}/model.json"))
    return f"{short}; {refused}" if short else refused


def _findings(
    context: RunContext, manifest: dict[str, Any], measured: Measured, gates: list[Gate], live: Measures | None
) -> Findings:
    stages = [(stage, read_manifest(context.store, context.run_id, stage)) for stage in STAGES]
    return Findings(
        store=context.store,
        manifest=manifest,
        metrics=measured.metrics,
        live=None if live is None else live.metrics,
        gates=gates,
        stages=[(stage, done) for stage, done in stages if done is not None],
        model=measured.model,
        asked=measured.asked,
        answers=measured.answers,
        labels=measured.labels,
        examples=context.config.evaluate.examples,
        recipe=context.config.recipe,
        notes=measured.notes,
    )
