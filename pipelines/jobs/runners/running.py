"""Runs a pipeline on the runner that the config names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.config import BeamSection
from pipelines.jobs.remote import RemoteJob
from pipelines.jobs.runners.cluster import Cluster, run_on
from pipelines.jobs.runners.signatures import remember_signatures

IN_PROCESS = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def run_job(
    section: BeamSection, name: str, build: Callable[[beam.Pipeline], Any], *, labels: Mapping[str, str], on_gpu: bool
) -> None:
    """Build a pipeline, run it under a name, and wait for it.

    Raises what its workers raise; on a cluster StageError, whatever it was there.
    """
    remember_signatures()
    logging.getLogger("apache_beam").setLevel(logging.WARNING)
    logging.getLogger("apache_beam.runners.common").setLevel(logging.CRITICAL)  # it logs what it then raises
    if section.runner == "in_process":
        with beam.Pipeline(options=PipelineOptions([f"--runner={IN_PROCESS}", *section.options])) as pipeline:
            build(pipeline)
    else:
        run_on(_cluster(section, labels, on_gpu), name, section.options, build)


def join_job(section: BeamSection, name: str) -> bool:
    """Wait for the job of a name that runs on a cluster already; return whether there was one. Raises StageError."""
    return section.runner != "in_process" and RemoteJob(_cluster(section, {}, on_gpu=False), name).join()


def _cluster(section: BeamSection, labels: Mapping[str, str], on_gpu: bool) -> Cluster:
    if section.runner == "dataflow":
        from pipelines.jobs.runners.dataflow import Dataflow

        return Dataflow(section.dataflow, section.options, labels, on_gpu)
    from pipelines.jobs.runners.flink import Flink

    return Flink(section.flink)
