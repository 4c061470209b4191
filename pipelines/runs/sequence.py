"""Running stages in order: from a config and a run id to manifests; imports each stage only when its turn comes."""

from __future__ import annotations

import importlib
import json
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pipelines.config import Config, ConfigError
from pipelines.errors import GateError, StageError
from pipelines.runs.context import Overrides, RunContext
from pipelines.runs.lease import lease
from pipelines.runs.ledger import StageResult
from pipelines.runs.manifest import REFUSED, Manifest, read_manifest, sections_of
from pipelines.runs.prometheus import attempt
from pipelines.runs.stages import STAGES
from pipelines.store import Store, UnusableError, initialise, open_store
from pipelines.telemetry import logs
from pipelines.telemetry.peak_memory import PeakMemory
from pipelines.telemetry.progress import Progress
from trainer.files import is_plain
from trainer.process import give_back

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def open_run(
    config: Config,
    run_id: str,
    progress: Progress,
    *,
    accept_reason: str | None = None,
    limit: int | None = None,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
) -> RunContext:
    """Return the context of a run, creating the store at the first.

    Raises StageError for an unusable run id, and ConfigError where no store can be kept, before any stage.
    """
    if not RUN_ID.fullmatch(run_id):
        raise StageError(f"run id {run_id!r} is not usable: letters, digits, '.', '_' and '-', at most 100 of them")
    store, buckets = open_store_of(config)
    return RunContext(config, store, run_id, buckets, progress, accept_reason, limit, overrides)


def open_store_of(config: Config) -> tuple[Store, int]:
    """Return the store of a config, created at the first, and the number of its buckets.

    Raises ConfigError where no store can be kept.
    """
    store = open_store(config.store.uri)
    _check_places(config, store)
    return store, initialise(store, config.store.buckets).buckets


def _check_places(config: Config, store: Store) -> None:
    """Raise ConfigError where what is written could not be kept, or not be found again."""
    temporary = tempfile.gettempdir()
    if not is_plain(temporary):
        raise ConfigError(f"TMPDIR = {temporary!r}: TensorFlow takes its name for a pattern; set it to another folder")
    try:
        store.check()
    except UnusableError as error:
        raise ConfigError(f"store.uri = {config.store.uri!r}: {error}") from error


def stages_between(first: str, last: str) -> tuple[str, ...]:
    """Return the stages from first to last. Raises StageError when they are the wrong way round."""
    start, stop = STAGES.index(first), STAGES.index(last)
    if start > stop:
        raise StageError(f"--from {first} comes after --to {last}; the order is {', '.join(STAGES)}")
    return STAGES[start : stop + 1]


def run_stage(context: RunContext, stage: str, work: Callable[[RunContext], StageResult]) -> Manifest:
    """Run a stage unless its manifest is there, and write the manifest last.

    Raises StageError when the run did this stage with another config, or another process is at it now.
    """
    digest = context.config.digest(*sections_of(stage))
    if (done := _done(context, stage, digest)) is not None:
        return done
    started, memory = time.time(), PeakMemory()
    with lease(context.store, context.prefix(stage), f"{stage} of run {context.run_id!r}") as held:
        if (done := _done(context, stage, digest)) is not None:  # by who held the lease until now
            return done
        result = _worked(replace(context, check_lease=held.check), stage, work)
        manifest = _manifest(context, stage, digest, result, started) | {"peak_memory_bytes": memory.peak_bytes()}
        held.renew()
        context.store.create_json(f"{context.prefix(stage)}/manifest.json", manifest)
    return read_manifest(context.store, context.run_id, stage) or manifest


def _worked(context: RunContext, stage: str, work: Callable[[RunContext], StageResult]) -> StageResult:
    """Do the work of a stage; what a gate says against it before there is anything to keep is kept for `status`."""
    try:
        return work(context)
    except GateError as error:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        told = {"refusal": str(error), "passes": error.stage, "at": at}
        context.store.put(f"{context.prefix(stage)}/{REFUSED}", json.dumps(told).encode())
        raise


def _done(context: RunContext, stage: str, digest: str) -> Manifest | None:
    """Return the manifest of a stage that is done. Raises StageError when it was done with another configuration."""
    done = read_manifest(context.store, context.run_id, stage)
    if done is not None and done["config_digest"] != digest:
        raise StageError(
            f"run {context.run_id!r} did {stage} with another configuration; start a new run with another --run-id"
        )
    return done


def run_stages(context: RunContext, stages: tuple[str, ...]) -> Iterator[Manifest]:
    """Run the stages in order, yielding each manifest; stops after a stage whose gate said no and no reason passes."""
    for stage in stages:
        logs.bind(run_id=context.run_id, stage=stage)
        with attempt(context, stage) as one:
            manifest = run_stage(context, stage, _work(stage))
            one.finished(manifest)
        give_back()  # the next stage, or its child, has other needs
        yield manifest
        if manifest["refusal"] and not context.accept_reason:
            return


def _work(stage: str) -> Callable[[RunContext], StageResult]:
    module: Any = importlib.import_module(f"pipelines.{stage}.stage")
    work: Callable[[RunContext], StageResult] = module.run
    return work


def _manifest(context: RunContext, stage: str, digest: str, result: StageResult, started: float) -> Manifest:
    return {
        "stage": stage,
        "run_id": context.run_id,
        "config_digest": digest,
        "counts": result.ledger.counts() | result.counts,
        "rejects": result.ledger.rejects,
        "outputs": result.outputs.as_json() if result.outputs else {},
        "given": result.given,
        "taken_from": result.taken_from,
        "notes": result.notes,
        "refusal": result.refusal,
        "uri": result.uri or f"{context.store.uri}/{context.prefix(stage)}",
        "seconds": round(time.time() - started, 3),
        "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
    }
