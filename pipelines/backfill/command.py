"""The `backfill` command, without its flags: the plan and its price, then run by run, oldest first.

A backfill that is started again under its name goes on with its plan. Owns the order of its runs; each is a run like
any other, with a lease, a manifest and a ledger a stage.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipelines.backfill.plan import PREFIX, Plan, Request, Step, keep_plan, lines, read_plan
from pipelines.backfill.repair import drop
from pipelines.backfill.schedule import make_plan
from pipelines.config import Config
from pipelines.errors import GateError, StageError
from pipelines.runs.context import Overrides
from pipelines.runs.manifest import Manifest, last_line
from pipelines.runs.sequence import open_run, run_stages
from pipelines.store import Store
from pipelines.telemetry.progress import Progress

COUNTED = ("fetched", "prepared", "inferred")


def backfill(
    config: Config, request: Request, backfill_id: str, progress: Progress, *, dry_run: bool = False
) -> Iterator[str]:
    """Do what was asked for; yield the lines for stdout, a stage each, the last one the backfill's own.

    Raises StageError, and GateError when what was to go live at the end was refused.
    """
    context = open_run(config, backfill_id, progress)
    store = context.store
    plan = read_plan(store, backfill_id)
    if plan is None:
        plan = make_plan(config, store, context.buckets, request, backfill_id)
        if not dry_run:
            keep_plan(store, plan)
    elif plan.request != request:
        raise StageError(f"backfill {backfill_id!r} was planned otherwise ({plan.request}); give another --run-id")
    for line in lines(plan):
        progress.say(line)
    if dry_run:
        yield _line(store, plan)
        return
    _repair(store, plan)
    yield from _run(config, plan, store, progress)


def _run(config: Config, plan: Plan, store: Store, progress: Progress) -> Iterator[str]:
    manifests: dict[str, Manifest] = {}
    refusal: GateError | None = None
    if plan.trains:
        config = config.with_policy("always")
    for step in plan.steps:
        stages = (*step.stages, *(("promote",) if step.promotes else ()))
        run_id = f"{plan.backfill_id}.{step.name}"
        context = open_run(config, run_id, progress, overrides=_overrides(plan, step, manifests))
        progress.say(f"backfill: {step.name}, run {run_id}: {', '.join(stages)}")
        for manifest in run_stages(context, stages):
            name = f"{run_id}/{manifest['stage']}"
            if name in manifests:
                continue
            manifests[name] = manifest
            for note in manifest["notes"]:
                progress.remind(f"{manifest['stage']}: {note}")
            yield last_line(manifest)
            if manifest["refusal"]:
                progress.say(f"backfill: the release of {step.name} was refused: {manifest['refusal']}")
                refusal = GateError(manifest["refusal"], stage="promote", run_id=run_id) if step.promotes else refusal
    counts = {what: sum(m["counts"].get(what, 0) for m in manifests.values()) for what in COUNTED}
    seconds = round(sum(m["seconds"] for m in manifests.values()), 1)
    store.create_json(f"{PREFIX}/{plan.backfill_id}/done.json", {"counts": counts, "seconds": seconds})
    promoted = [m["outputs"]["release_id"] for m in manifests.values() if m["stage"] == "promote"]
    yield _line(store, plan, counts=counts, seconds=seconds, promoted=promoted)
    if refusal:
        raise refusal


def _overrides(plan: Plan, step: Step, manifests: dict[str, Manifest]) -> Overrides:
    """Return what a step is told: its catalogue, and the model that all steps share, once it is there."""
    trained = manifests.get(f"{plan.backfill_id}.newest/train")
    model_id = trained["outputs"]["model_id"] if trained else None if plan.trains else plan.model_id
    return Overrides(
        catalogue=step.number,
        deltas_after=plan.deltas_after if step.number is None else None,
        model_id=model_id,
        live_model=plan.model_id,
        force_reason=plan.request.force_reason,
    )


def _repair(store: Store, plan: Plan) -> None:
    """Take the commits of damaged units back, once: what is made again may have the same name."""
    done = f"{PREFIX}/{plan.backfill_id}/dropped.json"
    if plan.damaged and not store.exists(done):
        drop(store, plan.damaged)
        store.create_json(done, len(plan.damaged))


def _line(store: Store, plan: Plan, **done: Any) -> str:
    """Return the last line on stdout: what a stage's says, and what was planned and promoted."""
    result: dict[str, Any] = {"stage": "backfill", "run_id": plan.backfill_id, "counts": {}, "seconds": 0.0}
    result |= {"uri": f"{store.uri}/{PREFIX}/{plan.backfill_id}", "promoted": [], **done}
    return json.dumps(result | {"forecast": plan.forecast, "damaged": len(plan.damaged)})
