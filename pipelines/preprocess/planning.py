"""What a run of the preprocess stage is to do, and how many of its photos are asked for, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from pipelines.curated.settled import settled
from pipelines.jobs.jobs import worker_threads
from pipelines.jobs.units import TodoBucket, Unit, cut, read_plan, run_plan, write_plan
from pipelines.preprocess.as_before import all_as_before
from pipelines.preprocess.asked import Asked
from pipelines.preprocess.dropped import DroppedPhotos
from pipelines.preprocess.job import Job
from pipelines.preprocess.prepare import Preparer
from pipelines.preprocess.requeried import Requeried
from pipelines.releases.live import live_release
from pipelines.releases.release import BrokenReleaseError
from pipelines.runs.context import Overrides, RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import CatalogueOutputs, PreprocessOutputs
from pipelines.shop_files.web.identity import Identity
from pipelines.store import NotFoundError


@dataclass(frozen=True)
class Planned:
    """The units to do, and what of their photos is asked for."""

    units: list[Unit]
    asked: Asked
    requeried: Requeried


def job_of(context: RunContext, catalogue_id: str) -> Job:
    """Return what the steps of a run share."""
    section, config = context.config.preprocess, context.config
    preparer = Preparer.of(config, worker_threads(config.beam))
    prefix, listed = context.prefix("preprocess"), DroppedPhotos.read(config)
    images = f"images/{section.spec.prep_id}"
    return Job(
        context.store,
        prefix,
        f"catalogue/{catalogue_id}",
        images,
        context.buckets,
        preparer,
        listed,
        settled(context.store, context.outputs(CatalogueOutputs).curated),
        Identity.of_config(config),
        _before(context),
    )


def _before(context: RunContext) -> str:
    """Return the folder of what the live release shows; "" of none, and for a run of the past, which is older."""
    if context.overrides != Overrides():
        return ""
    try:
        live = live_release(context.store)
    except BrokenReleaseError:  # evaluate says so
        return ""
    manifest = read_manifest(context.store, live.run_id, "preprocess") if live and live.run_id else None
    if manifest is None:
        return ""
    context.pin("preprocess", f"runs/{manifest['taken_from'] or manifest['run_id']}")
    return PreprocessOutputs.of_json(manifest["outputs"]).photos


def plan_units(context: RunContext, job: Job) -> Planned:
    """Return the run's plan, made if there is none yet."""
    planned = read_plan(job.store, job.prefix)
    if planned is None:
        findings = [] if all_as_before(context, job) else _find_todo(context, job)
        asked = sum((Asked.of_json(found.pop("asked")) for found in findings), Asked())
        units = cut([TodoBucket(**found) for found in findings], context.config.preprocess.photos_a_unit)
        write_plan(job.store, job.prefix, units, asked=asdict(asked))
        planned = read_plan(job.store, job.prefix)
    units, facts = planned or ([], {})
    return Planned(units, Asked.of_json(facts.get("asked", {})), _requeried(job))


def _requeried(job: Job) -> Requeried:
    """Return what was counted when the plan was made; nothing where no job made it."""
    try:
        return Requeried.of_json(job.store.read_json(job.requeried))
    except NotFoundError:
        return Requeried()


def _find_todo(context: RunContext, job: Job) -> list[dict[str, Any]]:
    from pipelines.preprocess.pipeline import build_plan

    findings = run_plan(job.store, job.prefix, context.jobs("preprocess"), partial(build_plan, job=job))
    return [job.store.read_json(entry.name) for entry in job.store.list(findings)]
