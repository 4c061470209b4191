"""What the stages' Beam pipelines share beside tables; knows no stage and no runner."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from pipelines.config import BeamSection


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
