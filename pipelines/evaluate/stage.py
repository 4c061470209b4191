"""The evaluate stage: measure the run's index, judge it by gates, and write the release with its report.

Writes nothing visible before everything is measured.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.errors import StageError
from pipelines.evaluate.ledger import ledger_metrics
from pipelines.evaluate.report.carried import carried
from pipelines.evaluate.unchanged import is_known, measured_on
from pipelines.evaluate.vocabulary import UnknownMetricError, check_gate_names
from pipelines.releases import publish as release
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
    from pipelines.evaluate.candidate import measured_and_judged

    manifest, files = measured_and_judged(context, live, _origin(context, live) | {"measured_on": key})
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
    files[METRICS] = metrics_json(json.loads(files[METRICS]) | ledger_metrics(context))
    files[REPORT] = carried(files[REPORT].decode(), manifest).encode()
    release.keep(context.store, prefix, manifest, files)
    return manifest


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


def _index_of(context: RunContext, live: Release) -> dict[str, Any]:
    """Return what a manifest says of the run's index; one that the live release has too is not read for that."""
    index_id = context.outputs(IndexOutputs).index_id
    done = read_manifest(context.store, context.run_id, IndexOutputs.stage) or {}
    if live.index_id == index_id and not done.get("counts", {}).get("built"):
        return dict(live.manifest["index"])
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
