"""The evaluate stage: measure the run's index, judge it by gates, and write the release with its report.

Writes nothing visible before everything is measured.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.errors import StageError
from pipelines.evaluate.ledger import ledger_metrics
from pipelines.evaluate.report.carried import carried
from pipelines.evaluate.unchanged import known, measured_on
from pipelines.evaluate.vocabulary import UnknownMetricError, check_gate_names
from pipelines.releases import publish as release
from pipelines.releases.history import read_history
from pipelines.releases.live import live_release
from pipelines.releases.measures import METRICS, metrics_json
from pipelines.releases.publish import REPORT
from pipelines.releases.release import Release
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import CatalogueOutputs, EvaluateOutputs, IndexOutputs

NOTHING_NEW = "nothing is new since release"


def run(context: RunContext) -> StageResult:
    """Measure the run's index and write its release; where nothing is new, the numbers that are there are taken.

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
    origin = _origin(context, live)
    source = known(context, live, key, origin["judged_beside"])
    if source is not None:
        return _carried(context, source, origin, prefix)
    from pipelines.evaluate.candidate import measured_and_judged

    manifest, files = measured_and_judged(context, live, origin | {"measured_on": key})
    release.keep(context.store, prefix, manifest, files)
    return manifest


def _carried(context: RunContext, source: Release, origin: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Make a release of a run in which nothing is new that was measured: the numbers of `source` are its own.

    What is live has passed its gates, or a person's reason has passed them; what was refused still is.
    """
    is_live = source.release_id == origin["parent"]
    note = f"{NOTHING_NEW} {source.measured_for} was measured{'' if is_live else ' and refused'}: its numbers are taken"
    said = [other for other in source.manifest.get("notes", ()) if not other.startswith(NOTHING_NEW)]
    context.progress.say(f"evaluate: {note}")
    same = {name: value for name, value in source.manifest.items() if name != "release_id"}
    same |= {"refusal": None if is_live else source.manifest["refusal"], "notes": [note, *said]}
    measured = {name: getattr(source, name) for name in ("measured_for", "measured_at", "measured_by")}
    manifest = release.named(same | origin | measured | {"index": _index_of(context, source)})
    files = {name: context.store.read(f"releases/{source.release_id}/{name}") for name in release.FILES}
    files[METRICS] = metrics_json(json.loads(files[METRICS]) | ledger_metrics(context))
    files[REPORT] = carried(files[REPORT].decode(), manifest).encode()
    release.keep(context.store, prefix, manifest, files)
    return manifest


def _origin(context: RunContext, live: Release | None) -> dict[str, Any]:
    """Return what a manifest says of where the release comes from, and of what it is judged beside."""
    catalogue = context.outputs(CatalogueOutputs)
    anchors = read_history(context.store).anchors(context.config.evaluate.anchor_releases)
    return {
        "run_id": context.run_id,
        "parent": None if live is None else live.release_id,
        "judged_beside": [*([] if live is None else [live.release_id]), *anchors],
        "catalogue_id": catalogue.catalogue_id,
        "catalogue_number": catalogue.number,
        "positions": catalogue.positions,
    }


def _index_of(context: RunContext, source: Release) -> dict[str, Any]:
    """Return what a manifest says of the run's index; one that `source` has too is not read for that."""
    index_id = context.outputs(IndexOutputs).index_id
    done = read_manifest(context.store, context.run_id, IndexOutputs.stage) or {}
    if source.index_id == index_id and not done.get("counts", {}).get("built"):
        return dict(source.manifest["index"])
    return release.reference(context.store, f"indexes/{index_id}", index_id=index_id)


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
