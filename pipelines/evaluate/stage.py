"""The evaluate stage: measure the run's index, judge it by gates, and write the release with its report.

Writes nothing visible before everything is measured.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.errors import StageError
from pipelines.evaluate.gates import blessed, judge, lead_over_colours, refusal
from pipelines.evaluate.measurement import Measured, ledger_metrics, measure
from pipelines.evaluate.report.carried import carried
from pipelines.evaluate.report.page import Findings, render
from pipelines.evaluate.rivals import anchors, expanded, rival_of
from pipelines.evaluate.scores import to_parquet
from pipelines.evaluate.unchanged import is_known, measured_on
from pipelines.evaluate.vocabulary import UnknownMetricError, check_gate_names
from pipelines.releases import publish as release
from pipelines.releases.gate import Gate
from pipelines.releases.live import live_release
from pipelines.releases.measures import CENTROID, METRICS, QUERIES, Measures, read_measures
from pipelines.releases.publish import REPORT
from pipelines.releases.release import Release
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import CatalogueOutputs, EvaluateOutputs, IndexOutputs
from pipelines.runs.stages import STAGES

NOTHING_NEW = "nothing is new since release"


def run(context: RunContext) -> StageResult:
    """Measure the run's index and write its release; where nothing is new since live, its numbers are taken.

    A release that fails a gate is written too, not blessed, and the result's `refusal` says why. Raises StageError
    when a gate of the config names no metric, or there is nothing to measure.
    """
    section, prefix = context.config.evaluate, context.prefix("evaluate")
    try:
        check_gate_names([*section.floors, *section.margins])
    except UnknownMetricError as error:
        raise StageError(f"evaluate.floors or evaluate.margins: {error}") from error
    manifest = release.kept(context.store, prefix)
    if manifest is None:
        manifest = _evaluate(context, prefix)
    release.publish(context.store, prefix, manifest)
    return _result(context, manifest)


def _evaluate(context: RunContext, prefix: str) -> dict[str, Any]:
    live, key = live_release(context.store), measured_on(context)
    if live is not None and is_known(live, key):
        return _as_live(context, live, prefix)
    measured = measure(context, live)
    beside = None if live is None else read_measures(context.store, live.release_id)
    gates = _gates(context, measured, beside)
    manifest = release.named(_origin(context, live) | _contents(context, measured, gates, key))
    files = {
        METRICS: _as_json(measured.metrics),
        CENTROID: json.dumps({"space_id": measured.model.space_id, "mean": measured.centroid}).encode(),
        QUERIES: to_parquet(measured.table),
        REPORT: render(_findings(context, manifest, measured, gates, beside)).encode(),
    }
    release.keep(context.store, prefix, manifest, files)
    return manifest


def _as_live(context: RunContext, live: Release, prefix: str) -> dict[str, Any]:
    """Make a release of a run in which nothing is new that was measured: the numbers of the live one are its own."""
    note = f"{NOTHING_NEW} {live.measured_for} was measured: its numbers are taken"
    said = [other for other in live.manifest.get("notes", ()) if not other.startswith(NOTHING_NEW)]
    context.progress.say(f"evaluate: {note}")
    same = {name: value for name, value in live.manifest.items() if name != "release_id"}
    measured = {"measured_for": live.measured_for, "measured_at": live.measured_at, "measured_by": live.measured_by}
    index = {"index": _index_of(context, live)}
    manifest = release.named(same | _origin(context, live) | index | measured | {"notes": [note, *said]})
    files = {name: context.store.read(f"releases/{live.release_id}/{name}") for name in release.FILES}
    files[METRICS] = _as_json(json.loads(files[METRICS]) | ledger_metrics(context))
    files[REPORT] = carried(files[REPORT].decode(), manifest).encode()
    release.keep(context.store, prefix, manifest, files)
    return manifest


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


def _origin(context: RunContext, live: Release | None) -> dict[str, Any]:
    """Return what a manifest says of where the release comes from."""
    catalogue = context.outputs(CatalogueOutputs)
    return {
        "run_id": context.run_id,
        "parent": None if live is None else live.release_id,
        "catalogue_id": catalogue.catalogue_id,
        "catalogue_number": catalogue.number,
        "positions": catalogue.positions,
    }


def _contents(context: RunContext, measured: Measured, gates: list[Gate], key: str) -> dict[str, Any]:
    """Return what a manifest says of the release's parts and of what was measured of them."""
    store, model, index_id = context.store, measured.model, context.outputs(IndexOutputs).index_id
    return {
        "model": release.reference(store, f"models/{model.model_id}", model_id=model.model_id, space_id=model.space_id),
        "index": release.reference(store, f"indexes/{index_id}", index_id=index_id),
        "gates": [gate.as_dict() for gate in gates],
        "blessed": blessed(gates),
        "refusal": refusal(gates),
        "notes": measured.notes,
        "ledger": [measured.sampled, len(measured.asked.queries)],
        "measured_on": key,
        "measured_by": context.run_id,
    }


def _index_of(context: RunContext, live: Release) -> dict[str, Any]:
    """Return what a manifest says of the run's index; one that the live release has too is not read for that."""
    index_id = context.outputs(IndexOutputs).index_id
    done = read_manifest(context.store, context.run_id, IndexOutputs.stage) or {}
    if live.index_id == index_id and not done.get("counts", {}).get("built"):
        return dict(live.manifest["index"])
    return release.reference(context.store, f"indexes/{index_id}", index_id=index_id)


def _as_json(metrics: dict[str, float]) -> bytes:
    return json.dumps(metrics, indent=1, sort_keys=True).encode()


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


def _result(context: RunContext, manifest: dict[str, Any]) -> StageResult:
    total, ok = manifest["ledger"]
    lost = total - ok
    ledger = Ledger(total, ok, rejected=lost, rejects={"no_vector": lost} if lost else {})
    name = f"releases/{manifest['release_id']}"
    outputs = EvaluateOutputs(manifest["release_id"], manifest["blessed"])
    uri = f"{context.store.uri}/{name}"
    notes = [*manifest["notes"], f"the report is {uri}/{REPORT}"]
    by = manifest.get("measured_by", context.run_id)  # a version that did not say so measured itself
    taken_from = "" if by == context.run_id else by
    return StageResult(ledger, {"queries": ok}, outputs, uri, notes, manifest["refusal"], taken_from=taken_from)
