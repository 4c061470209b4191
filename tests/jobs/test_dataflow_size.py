"""What travels to Dataflow with a job hardly grows with the catalogue: units are named, not listed photo by photo."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.config import BeamSection, EmbedSection, PreprocessSection
from pipelines.embed.work import Job, embed_units
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.runners import running
from pipelines.jobs.runners.dataflow import Dataflow
from pipelines.jobs.transforms import CreateEach
from pipelines.jobs.units import Unit
from pipelines.models.facts import LeafFacts, ModelFacts
from pipelines.store.bucket import BucketStore
from tests.jobs.dataflow_api import PROJECT, REGION

GRAPH_LIMIT = 10 << 20
"""Dataflow's, of a job's graph: https://cloud.google.com/dataflow/docs/request-quotas"""
PHOTOS = 100_000_000
SECTION = BeamSection.model_validate(
    {
        "runner": "dataflow",
        "dataflow": {"project": PROJECT, "region": REGION, "temp_location": "gs://bucket/temp", "image": "r.io/p/w:1"},
    }
)
LEAF = LeafFacts("leaf_probabilities", (), (), None)
FACTS = ModelFacts("model", "space", "16x12-q95-v1", 16, 12, 32, 16, LEAF, (), (), {}, {})


def units(count: int) -> list[Unit]:
    names = [hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(count)]
    return [Unit(name, ((n % 64, 0, 1000), (n % 64 + 1, 0, 3000))) for n, name in enumerate(names)]


def graph_bytes(build: Callable[[beam.Pipeline], Any]) -> int:
    options = Dataflow(SECTION.dataflow, (), {}, on_gpu=False).options("vs-a-1")
    pipeline = beam.Pipeline(options=PipelineOptions([*options, "--job_name=vs-a-1", "--dry_run=true"]))
    build(pipeline)
    return int(pipeline.run().job.proto_pipeline.ByteSize())


def of_embed(todo: Sequence[Unit], monkeypatch: pytest.MonkeyPatch) -> int:
    sizes = []
    monkeypatch.setattr(running, "run_job", lambda _section, _name, build, **_: sizes.append(graph_bytes(build)))
    job = Job(BucketStore("gs://shop-bucket/store"), "runs/r/embed", FACTS, 256)
    embed_units(job, Jobs(SECTION, "gs://shop-bucket/store/runs/r/embed"), EmbedSection(), todo)
    return sizes[0]


def of_preprocess(todo: Sequence[Unit], _: pytest.MonkeyPatch) -> int:
    return graph_bytes(lambda pipeline: pipeline | CreateEach(todo) | beam.Map(print))


@pytest.mark.parametrize(
    ("of", "photos_a_unit"),
    [(of_embed, EmbedSection().photos_a_unit), (of_preprocess, PreprocessSection().photos_a_unit)],
)
def test_a_graph_grows_by_a_few_bytes_a_unit(of: Any, photos_a_unit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = of(units(100), monkeypatch), of(units(2_100), monkeypatch)
    bytes_a_unit = (large - small) / 2_000
    assert 0 < bytes_a_unit < 100
    assert small + bytes_a_unit * PHOTOS / photos_a_unit < GRAPH_LIMIT
