"""How a Beam pipeline is started, on the runner that the config names; knows no stage."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.config import BeamSection

RUNNERS = {"in_process": "apache_beam.runners.portability.fn_api_runner.FnApiRunner"}


def run_pipeline(section: BeamSection, build: Callable[[beam.Pipeline], Any]) -> None:
    """Build a pipeline, run it, and wait for it. Raises what its workers raise."""
    logging.getLogger("apache_beam").setLevel(logging.WARNING)
    logging.getLogger("apache_beam.runners.common").setLevel(logging.CRITICAL)  # it logs what it then raises
    options = PipelineOptions([f"--runner={RUNNERS[section.runner]}", *section.options])
    with beam.Pipeline(options=options) as pipeline:
        build(pipeline)


def worker_threads(section: BeamSection) -> int:
    """Return how many threads a worker uses for one unit."""
    return section.threads or len(os.sched_getaffinity(0))


class CreateEach(beam.PTransform):
    """Create a collection whose elements are spread over the workers, one bundle an element at the finest."""

    def __init__(self, values: Iterable[Any]) -> None:
        super().__init__()
        self.values = list(values)

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Create and reshuffle."""
        return pipeline | beam.Create(self.values, reshuffle=True)
