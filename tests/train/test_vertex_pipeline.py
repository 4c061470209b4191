"""What Vertex AI is given: the pipeline that runs here too, in our image, with every path in a bucket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import VertexSection
from pipelines.store.folder import FolderStore
from pipelines.train import vertex_pipeline
from pipelines.train.vertex_job import Job, VertexJob
from pipelines.train.vertex_pipeline import compile_job, remote_spec
from trainer.config import TrainSpec

IMAGE = "europe-west4-docker.pkg.dev/p-1/search/worker:1"
NODES = {
    "Examples": [],
    "StatisticsGen": ["Examples"],
    "ImportSchemaGen": [],
    "ExampleValidator": ["ImportSchemaGen", "StatisticsGen"],
    "CheckAnomalies": ["ExampleValidator"],
    "Transform": ["CheckAnomalies", "Examples", "ImportSchemaGen"],
    "Trainer": ["ImportSchemaGen", "Transform"],
    "LiveModel": [],
    "Evaluator": ["Examples", "LiveModel", "Trainer"],
    "Pusher": ["Evaluator", "Trainer"],
}
IMPORTED = ("Examples", "LiveModel")
HERE = """
import json, sys
from pathlib import Path
from pipelines.train.vertex_job import VertexJob
from pipelines.train.vertex_pipeline import compile_job
from trainer.config import TrainSpec
folder = Path(sys.argv[1])
job = compile_job(TrainSpec.load(folder / "spec.json"), VertexJob.load(folder / "vertex.json"), 1)
(folder / "compiled.json").write_text(json.dumps(job))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("launcher")


@pytest.fixture(scope="module")
def spec(folder: Path) -> TrainSpec:
    """A training beside a live model, as the stage specifies it on the launcher."""
    taxonomy = {
        "leaves": {"shoes > boots": 0, "shoes > clogs": 1},
        "levels": [{"shoes": 0}, {"shoes > boots": 0, "shoes > clogs": 1}],
        "attributes": {"colour": {"red": 0, "blue": 1}},
    }
    (folder / "taxonomy.json").write_text(json.dumps(taxonomy))
    return TrainSpec(
        examples="gs://shop/store/examples/r1",
        taxonomy=str(folder / "taxonomy.json"),
        work=str(folder / "work"),
        checkpoints=str(folder / "checkpoints"),
        parent=str(folder / "live"),
        baseline=str(folder / "live"),
        prep_id="96x96-q95-v1",
        height=96,
        width=96,
        attributes=("colour",),
    )


@pytest.fixture(scope="module")
def job() -> VertexJob:
    section = VertexSection(
        project="p-1",
        region="europe-west4",
        image=IMAGE,
        pipeline_root="gs://shop-work/vertex",
        service_account="trainer@p-1.iam.gserviceaccount.com",
        cpus=16,
        memory_gb=64,
        accelerator="NVIDIA_L4",
        accelerators=2,
    )
    return VertexJob.of(section, "gs://shop/store", "r1", "a-key")


@pytest.fixture(scope="module")
def compiled(spec: TrainSpec, job: VertexJob) -> Job:
    return compile_job(spec, job, 1)


def tasks(compiled: Job) -> dict[str, Any]:
    found: dict[str, Any] = compiled["pipelineSpec"]["root"]["dag"]["tasks"]
    return found


def executor(compiled: Job, task: str) -> dict[str, Any]:
    label = compiled["pipelineSpec"]["components"][tasks(compiled)[task]["componentRef"]["name"]]["executorLabel"]
    found: dict[str, Any] = compiled["pipelineSpec"]["deploymentSpec"]["executors"][label]
    return found


def texts(value: Any) -> Iterator[str]:
    """Yield every string of a JSON value, keys too, and those of JSON within strings."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value
        try:
            within = json.loads(value)
        except ValueError:
            return
        if isinstance(within, dict | list):
            yield from texts(within)


def local_paths(value: Any) -> list[str]:
    return [text for text in texts(value) if text.startswith(("/", "~", "./", "file:", "gs:/")) and text[:5] != "gs://"]


def test_every_node_is_there_and_waits_for_what_it_reads(compiled: Job) -> None:
    assert {name: task.get("dependentTasks", []) for name, task in tasks(compiled).items()} == NODES
    for name, task in tasks(compiled).items():
        read = {
            each["taskOutputArtifact"]["producerTask"] for each in task.get("inputs", {}).get("artifacts", {}).values()
        }
        assert read <= set(NODES[name])


def test_it_is_the_pipeline_that_runs_here(compiled: Job, spec: TrainSpec) -> None:
    from pipelines.train.tfx_pipeline import build_pipeline

    here = build_pipeline(replace(spec, examples="/examples"))
    assert {node.id: sorted(up.id for up in node.upstream_nodes) for node in here.components} == NODES
    for node in here.components:
        if node.id not in IMPORTED:
            path = f"{node.executor_spec.executor_class.__module__}.{node.executor_spec.executor_class.__name__}"
            assert executor(compiled, node.id)["container"]["args"][:2] == ["--executor_class_path", path]


def test_without_a_live_model_nothing_is_compared(spec: TrainSpec, job: VertexJob) -> None:
    first = compile_job(replace(spec, parent=None, baseline=None), job, 1)
    assert set(tasks(first)) == NODES.keys() - {"LiveModel"}
    assert tasks(first)["Evaluator"]["dependentTasks"] == ["Examples", "Trainer"]


@pytest.mark.parametrize("name", [name for name in NODES if name not in IMPORTED])
def test_a_component_runs_in_our_image_by_the_classes_that_it_holds(compiled: Job, name: str) -> None:
    from tfx.utils import import_utils

    container = executor(compiled, name)["container"]
    assert container["image"] == IMAGE
    assert container["command"] == ["python", "-m", "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"]
    assert "{{$}}" in container["args"]
    assert import_utils.import_class_by_path(container["args"][1])


def test_the_functions_of_the_trainer_are_named_by_module(compiled: Job) -> None:
    def parameters(task: str) -> dict[str, Any]:
        return {
            key: value["runtimeValue"]["constant"]
            for key, value in tasks(compiled)[task]["inputs"]["parameters"].items()
        }

    assert parameters("Trainer")["run_fn"] == "trainer.tfx_module.module.run_fn"
    assert parameters("Transform")["preprocessing_fn"] == "trainer.tfx_module.module.preprocessing_fn"
    assert "module_file" not in {**parameters("Trainer"), **parameters("Transform")}


def test_no_path_is_a_local_one(compiled: Job, job: VertexJob) -> None:
    assert local_paths(compiled) == []
    assert executor(compiled, "Examples")["importer"]["artifactUri"]["constant"] == "gs://shop/store/examples/r1"
    assert executor(compiled, "LiveModel")["importer"]["artifactUri"]["constant"] == f"{job.folder}/1/live"
    assert compiled["runtimeConfig"]["gcsOutputDirectory"] == f"{job.folder}/1/tfx"
    in_buckets = {text for text in texts(compiled) if text.startswith("gs://")}
    assert {text.removeprefix(f"{job.folder}/1/") for text in in_buckets} == {
        "gs://shop/store/examples/r1",
        *("live", "pushed", "schema.pbtxt", "tfx", "tfx_spec.json"),
    }


def test_local_paths_are_seen_wherever_they_stand() -> None:
    assert local_paths({"a": ["gs://b/c", json.dumps({"b": {"c": "/tmp/x"}}), "a/b"], "~/k": 1}) == ["/tmp/x", "~/k"]


def test_what_the_steps_are_told_is_in_the_bucket(spec: TrainSpec, job: VertexJob) -> None:
    told = remote_spec(spec, job, 3)
    assert local_paths(asdict(told)) == []
    assert (told.work, told.checkpoints) == (f"{job.folder}/3", f"{job.folder}/checkpoints")
    assert remote_spec(replace(spec, parent=None, baseline=None), job, 1).parent is None


def test_the_weights_that_it_begins_with_lie_where_its_steps_are_told(
    spec: TrainSpec, job: VertexJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = FolderStore(tmp_path / "bucket")
    monkeypatch.setattr(vertex_pipeline, "BucketStore", lambda _: bucket)
    (tmp_path / "work").mkdir()
    (tmp_path / "lite.pth").write_bytes(b"numbers")
    first = replace(spec, work=str(tmp_path / "work"), parent=None, baseline=None, weights=str(tmp_path / "lite.pth"))
    vertex_pipeline._prepare(first, job, 3)
    told = remote_spec(first, job, 3)
    assert told.weights == f"{job.folder}/3/lite.pth"
    assert local_paths(asdict(told)) == []
    assert bucket.read("3/lite.pth") == b"numbers"


def test_only_the_trainer_asks_for_a_machine(compiled: Job, spec: TrainSpec, job: VertexJob) -> None:
    asked = {name: executor(compiled, name).get("container", {}).get("resources") for name in NODES}
    accelerator = {"type": "NVIDIA_L4", "count": "2"}
    assert asked.pop("Trainer") == {"cpuLimit": 16.0, "memoryLimit": 64.0, "accelerator": accelerator}
    assert set(asked.values()) == {None}
    plain = replace(job, section=job.section.model_copy(update={"accelerator": None}))
    without = executor(compile_job(spec, plain, 1), "Trainer")["container"]["resources"]
    assert without == {"cpuLimit": 16.0, "memoryLimit": 64.0}


def test_the_service_knows_every_field(compiled: Job) -> None:
    from google.cloud.aiplatform_v1.types import PipelineJob
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    job = PipelineJob.from_json(json.dumps(compiled), ignore_unknown_fields=False)
    assert job.service_account == "trainer@p-1.iam.gserviceaccount.com"
    assert json_format.ParseDict(compiled["pipelineSpec"], pipeline_spec_pb2.PipelineSpec()).schema_version == "2.1.0"


@pytest.mark.slow
def test_equal_trainings_are_compiled_alike_in_every_process(
    compiled: Job, spec: TrainSpec, job: VertexJob, folder: Path
) -> None:
    spec.save(folder / "spec.json")
    job.save(folder / "vertex.json")
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run(
        [sys.executable, "-c", HERE, str(folder)], check=True, env=environment, cwd=Path(__file__).parents[2]
    )
    assert json.loads((folder / "compiled.json").read_text()) == compiled
