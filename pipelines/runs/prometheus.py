"""What the stages have done, as text files that Prometheus' node exporter reads (its textfile collector).

Two files an environment and stage: one of the last time that the stage finished, one of how the last attempt at it
ended, so that a failure hides nothing of what was there before. Metrics are gauges, names and units those of
https://prometheus.io/docs/practices/naming; run ids are in the logs, for as labels they would make a series a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pipelines.errors import StageError
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import Manifest
from pipelines.store import Store

LEDGER = ("in", "ok", "skipped", "rejected")
OUTCOMES = ("done", "refused", "failed")


@dataclass(frozen=True)
class Metric:
    """A gauge: its name without prefix, what it means, and its values by `label`, or by "" where it has none."""

    name: str
    meaning: str
    values: Mapping[str, float]
    label: str = ""


class Attempt:
    """One attempt at a stage; `finished` takes the manifest that it came to."""

    def __init__(self, context: RunContext, stage: str) -> None:
        self._context, self._stage, self._outcome = context, stage, "failed"

    def finished(self, manifest: Manifest) -> None:
        """Write what the stage has done."""
        self._outcome = "refused" if manifest["refusal"] else "done"
        if self._context.config.monitoring.folder is not None:
            _write(self._context, self._stage, "", stage_metrics(manifest, _quality(self._context.store, manifest)))

    def ended(self) -> None:
        """Write how the attempt ended, and when."""
        if self._context.config.monitoring.folder is not None:
            _write(self._context, self._stage, "_attempt", attempt_metrics(self._outcome, time.time()))


@contextmanager
def attempt(context: RunContext, stage: str) -> Iterator[Attempt]:
    """Watch an attempt at a stage. Does nothing where `monitoring.folder` is not set.

    Raises StageError, before the attempt, when files cannot be written there.
    """
    folder = context.config.monitoring.folder
    if folder is not None and not os.access(context.config.locate(folder), os.W_OK | os.X_OK):
        raise StageError(
            f"monitoring.folder = {folder!r}: there is no folder {context.config.locate(folder)} that this user may "
            "write into; make it, or correct the path"
        )
    one = Attempt(context, stage)
    try:
        yield one
    finally:
        one.ended()


def attempt_metrics(outcome: str, ended_at: float) -> list[Metric]:
    """Return the metrics of an attempt: its outcome, one of OUTCOMES, and when it ended in seconds since 1970."""
    outcomes = {one: float(one == outcome) for one in OUTCOMES}
    return [
        Metric("stage_attempt_timestamp_seconds", "When the last attempt at the stage ended.", {"": ended_at}),
        Metric("stage_attempt_outcome", "1 for how the last attempt ended.", outcomes, "outcome"),
    ]


def stage_metrics(manifest: Manifest, quality: Mapping[str, float]) -> list[Metric]:
    """Return the metrics of a finished stage; `quality` holds the numbers of the release that it measured, if any."""
    counts = manifest["counts"]
    finished_at = datetime.fromisoformat(manifest["finished_at"]).timestamp()
    ledger = {name: counts[name] for name in LEDGER}
    work = {name: count for name, count in counts.items() if name not in LEDGER}
    return [
        Metric("stage_finished_timestamp_seconds", "When the stage last finished.", {"": finished_at}),
        Metric("stage_duration_seconds", "How long it took.", {"": manifest["seconds"]}),
        Metric("stage_peak_memory_bytes", "The most memory it had at once.", {"": manifest["peak_memory_bytes"]}),
        Metric("stage_refused", "1 where a gate said no.", {"": float(bool(manifest["refusal"]))}),
        Metric("stage_records", "The ledger: in = ok + skipped + rejected.", ledger, "outcome"),
        Metric("stage_rejects", "Rejected records.", manifest["rejects"], "code"),
        Metric("stage_work", "What the stage counts beside its ledger.", work, "what"),
        Metric("quality", "The numbers of the release's metrics.json (docs/metrics.md).", quality, "name"),
    ]


def _quality(store: Store, manifest: Manifest) -> dict[str, float]:
    if manifest["stage"] != "evaluate":
        return {}
    numbers: dict[str, float] = store.read_json(f"releases/{manifest['outputs']['release_id']}/metrics.json")
    return numbers


def _write(context: RunContext, stage: str, part: str, metrics: list[Metric]) -> None:
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    section, registry = context.config.monitoring, CollectorRegistry()
    for metric in metrics:
        labels = ("environment", "stage", *([metric.label] if metric.label else []))
        gauge = Gauge(f"visual_search_{metric.name}", metric.meaning, labels, registry=registry)
        for value_of, value in metric.values.items():
            gauge.labels(section.environment, stage, *([value_of] if metric.label else [])).set(value)
    folder = context.config.locate(str(section.folder))
    path = f"{folder}/visual_search_{section.environment}_{stage}{part}.prom"
    try:
        write_to_textfile(path, registry)
    except OSError as error:  # the stage is done, and its manifest says so
        context.progress.say(f"monitoring: cannot write {path}: {error.strerror}")
