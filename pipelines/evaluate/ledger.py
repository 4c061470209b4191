"""What the stages before have counted, as metrics of a release."""

from __future__ import annotations

from pipelines.evaluate.metrics import Metrics
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.stages import STAGES


def ledger_metrics(context: RunContext) -> Metrics:
    """Return the counts and the seconds of the run's stages before this one."""
    metrics: Metrics = {}
    for stage in STAGES[: STAGES.index("evaluate")]:
        manifest = read_manifest(context.store, context.run_id, stage)
        if manifest is not None:
            metrics |= {
                f"ledger.{stage}_{name}": float(manifest["counts"][name])
                for name in ("in", "ok", "skipped", "rejected")
            }
            metrics[f"seconds.{stage}"] = float(manifest["seconds"])
    return metrics
