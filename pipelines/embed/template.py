"""The one job of embed that wants a GPU, by itself: what a Flex Template starts for a run that is planned already.

A Flex Template is one job, and its launcher ends when that is handed over. The stages are several jobs with work of the
launcher between them, so that no template can be a stage; this job is the one that needs neither.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.config import EmbedSection
from pipelines.embed.work import Job, build_units
from pipelines.errors import StageError
from pipelines.jobs.units import Unit, read_plan
from pipelines.models.facts import read_facts
from pipelines.store import open_store

OPTIONS = (
    "--sdk_location=container",
    "--experiments=disable_logging_submission_environment",
    "--experiments=no_use_multiple_sdk_containers",  # processes would each hold a model on the one GPU
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the template's own parameters; others are Beam's."""
    own = argparse.ArgumentParser(prog="embed_units", description=__doc__, allow_abbrev=False)
    own.add_argument("--store", required=True, help="the store's gs:// URI")
    own.add_argument("--run_id", required=True, help="a run whose embed stage is planned")
    own.add_argument("--batch", type=int, default=EmbedSection().batch, help="photos in one pass through the model")
    own.add_argument("--accelerator", help="resource hint of the step that runs the model")
    own.add_argument("--min_ram_bytes", type=int, help="the same, of its machines' memory")
    return own


def main(arguments: Sequence[str]) -> None:
    """Hand over the job that does what is left of a run's plan, and do not wait for it. Raises StageError."""
    own, of_beam = parser().parse_known_args(arguments)
    job, units = left(own.store, own.run_id, own.batch)
    wanted: dict[str, Any] = {"accelerator": own.accelerator, "min_ram": own.min_ram_bytes}
    pipeline = beam.Pipeline(options=PipelineOptions([*OPTIONS, *of_beam]))
    build_units(pipeline, job, units, {name: value for name, value in wanted.items() if value is not None})
    pipeline.run()


def left(uri: str, run_id: str, batch: int) -> tuple[Job, list[Unit]]:
    """Return the job of a planned run and its units that are not committed. Raises StageError when there are none."""
    store, folder = open_store(uri), f"runs/{run_id}/embed"
    planned = read_plan(store, folder)
    if planned is None:
        raise StageError(
            f"run {run_id!r} of {uri} has no plan of embed; start `visual-search embed --run-id {run_id}`, which plans "
            "first, or check the name"
        )
    units, facts = planned
    job = Job(store, folder, read_facts(store, facts["model_id"]), batch)
    committed = set(job.vectors.unit_ids())
    todo = [unit for unit in units if unit.unit_id not in committed]
    if not todo:
        raise StageError(
            f"all {len(units)} units of run {run_id!r} are done; go on with `visual-search run --run-id {run_id} "
            "--from embed`"
        )
    return job, todo
