"""Embedding on workers: groups of units, one model a process, the accelerator asked for on this step alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.utils.shared import Shared

from pipelines.config import EmbedSection
from pipelines.embed.infer import UnitEmbedder
from pipelines.embed.model import Embedder
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.jobs.units import Unit, read_work
from pipelines.models.facts import ModelFacts
from pipelines.store import Store, UnitTable

UNITS_A_GROUP = 8
"""Within a group the next unit's photos are read and decoded while the last one's are still inferred."""


@dataclass(frozen=True)
class Job:
    """Where a run's work is, and what to do it with."""

    store: Store
    folder: str
    facts: ModelFacts
    batch: int

    @property
    def vectors(self) -> UnitTable:
        """The unit table that is written."""
        return UnitTable(self.store, f"embeddings/{self.facts.space_id}/{self.facts.model_id}")

    @property
    def images(self) -> UnitTable:
        """The unit table that is read."""
        return UnitTable(self.store, f"images/{self.facts.prep_id}")


class EmbedUnits(beam.DoFn):
    """Embeds groups of units with a model that is loaded once a process."""

    def __init__(self, job: Job, shared: Shared) -> None:
        super().__init__()
        self._job, self._shared = job, shared
        self._model: Any = None

    def setup(self) -> None:
        """Load the model, or take the one that this process holds."""
        job = self._job
        self._model = self._shared.acquire(lambda: Embedder(job.store, job.facts), job.facts.model_id)

    def process(self, units: Sequence[Unit]) -> Iterator[str]:
        """Commit each unit of a group and yield its id."""
        job = self._job
        embed = UnitEmbedder(job.images, job.vectors, self._model, job.batch)
        todo = (unit for unit in units if not job.vectors.has(unit.unit_id))
        yield from embed((unit, read_work(job.store, job.folder, unit)) for unit in todo)


def embed_units(job: Job, jobs: Jobs, section: EmbedSection, units: Sequence[Unit]) -> None:
    """Run the embedding of units that are not committed yet."""
    hints = jobs.hints(min_ram=section.min_ram_bytes, accelerator=section.accelerator)
    on_gpu = section.accelerator is not None
    jobs.run("units", lambda pipeline: build_units(pipeline, job, units, hints), on_gpu=on_gpu)


def build_units(pipeline: beam.Pipeline, job: Job, units: Sequence[Unit], hints: Mapping[str, Any]) -> None:
    """Wire the embedding of units; the resource hints are of the step that runs the model alone."""
    groups = [list(units[start : start + UNITS_A_GROUP]) for start in range(0, len(units), UNITS_A_GROUP)]
    embed = beam.ParDo(EmbedUnits(job, Shared())).with_resource_hints(**hints)
    _ = pipeline | "Groups" >> CreateEach(groups) | "Embed" >> embed
