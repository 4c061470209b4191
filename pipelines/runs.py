"""Running stages in order: from a config and a run id to manifests; imports each stage only when its turn comes."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from pipelines import logs
from pipelines.config import Config
from pipelines.monitoring import attempt
from pipelines.names import STAGES
from pipelines.progress import Progress
from pipelines.stage import Manifest, Overrides, RunContext, StageError, StageResult, run_stage
from pipelines.store import initialise, open_store

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
    """Return the context of a run, creating the store at the first. Raises StageError for an unusable run id."""
    if not RUN_ID.fullmatch(run_id):
        raise StageError(f"run id {run_id!r} is not usable: letters, digits, '.', '_' and '-', at most 100 of them")
    store = open_store(config.store.uri)
    layout = initialise(store, config.store.buckets)
    return RunContext(config, store, run_id, layout.buckets, progress, accept_reason, limit, overrides)


def stages_between(first: str, last: str) -> tuple[str, ...]:
    """Return the stages from first to last. Raises StageError when they are the wrong way round."""
    start, stop = STAGES.index(first), STAGES.index(last)
    if start > stop:
        raise StageError(f"--from {first} comes after --to {last}; the order is {', '.join(STAGES)}")
    return STAGES[start : stop + 1]


def run_stages(context: RunContext, stages: tuple[str, ...]) -> Iterator[Manifest]:
    """Run the stages in order, yielding each manifest; stops after a stage whose gate said no."""
    for stage in stages:
        logs.bind(run_id=context.run_id, stage=stage)
        with attempt(context, stage) as one:
            manifest = run_stage(context, stage, _work(stage))
            one.finished(manifest)
        yield manifest
        if manifest["refusal"]:
            return


def _work(stage: str) -> Callable[[RunContext], StageResult]:
    module: Any = importlib.import_module(f"pipelines.{stage}.stage")
    work: Callable[[RunContext], StageResult] = module.run
    return work
