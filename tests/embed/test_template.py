"""The Flex Template: its metadata says what the program takes, which does what Google's launcher asks of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as proto
from apache_beam.portability.common_urns import resource_hints
from google.cloud import dataflow

from pipelines.config import DataflowSection
from pipelines.embed import stage
from pipelines.embed.template import main, parser
from pipelines.errors import StageError
from pipelines.jobs.runners.running import IN_PROCESS
from pipelines.runs.sequence import RUN_ID, run_stage
from pipelines.store import UnitTable
from tests.embed.world import World
from tests.jobs.dataflow_api import PROJECT, REGION, Api, dataflow_api

INFRA = Path(__file__).parents[2] / "infra" / "dataflow"
METADATA = json.loads((INFRA / "metadata.json").read_text(encoding="utf-8"))
REGEXES = {each["name"]: each["regexes"] for each in METADATA["parameters"]}
OF_BEAM = {"sdk_container_image"}
IMAGE = "europe-docker.pkg.dev/p/shop/worker-gpu:1.2"
ACCELERATOR = "type:nvidia-l4;count:1;machine_type:g2-standard-8;install-nvidia-driver"
TEMPLATE = "shop-bucket/staging/template_launches/2026-11-22_02_00_00-1/job_object"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with dataflow_api() as api:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", api.url)
        yield api


@pytest.fixture
def planned(world: World, twenty: list[tuple[int, str, int]], monkeypatch: pytest.MonkeyPatch) -> World:
    """A run whose embed stage was stopped when it had planned."""
    context = world.start_run("r", twenty, "model-a", "model-a")
    with monkeypatch.context() as stopped:
        stopped.setattr("pipelines.embed.work.embed_units", lambda *_: (_ for _ in ()).throw(StageError("no GPU")))
        with pytest.raises(StageError, match="no GPU"):
            run_stage(context, "embed", stage.run)
    return world


def launch(api: Api, world: World, *more: str) -> None:
    """Run the program as Google's launcher does."""
    given = [f"--store={world.store.uri}", "--run_id=r", f"--sdk_container_image={IMAGE}", *more]
    where = [f"--project={PROJECT}", f"--region={REGION}", "--job_name=embed-r", "--runner=DataflowRunner"]
    folders = ["--temp_location=gs://shop-bucket/temp", "--staging_location=gs://shop-bucket/staging"]
    main([*given, *where, *folders, f"--template_location=gs://{TEMPLATE}", *api.options])


def test_the_metadata_is_what_dataflow_reads() -> None:
    read = dataflow.TemplateMetadata.from_json(json.dumps(METADATA))
    assert [parameter.name for parameter in read.parameters] == list(REGEXES)
    spec = {"image": IMAGE, "sdkInfo": {"language": "PYTHON"}, "metadata": METADATA}
    assert dataflow.ContainerSpec.from_json(json.dumps(spec)).metadata == read


def test_the_metadata_names_the_parameters_of_the_program_and_which_must_be_given() -> None:
    own = {action.dest: action.required for action in parser()._actions if action.dest != "help"}
    named = {each["name"]: not each.get("isOptional", False) for each in METADATA["parameters"]}
    assert named == own | dict.fromkeys(OF_BEAM, True)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("store", "gs://shop-bucket/store", "store"),
        ("store", "gs://shop-bucket", "s3://shop-bucket/store"),
        ("run_id", "20261122T020000Z", "runs/20261122"),
        ("sdk_container_image", IMAGE, "worker"),
        ("accelerator", ACCELERATOR, "nvidia-l4"),
        ("batch", "512", "0"),
        ("min_ram_bytes", "25769803776", "24GB"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_before_anything_starts(name: str, good: str, bad: str) -> None:
    assert all(re.search(regex, good) for regex in REGEXES[name])
    assert not all(re.search(regex, bad) for regex in REGEXES[name])


def test_the_metadata_refuses_what_the_program_refuses() -> None:
    (run_id,), (image,) = REGEXES["run_id"], REGEXES["sdk_container_image"]
    assert run_id == f"^{RUN_ID.pattern}$"
    of_config = DataflowSection.model_json_schema()["properties"]["image"]["anyOf"][0]["pattern"]
    assert image.replace("[0-9]+", r"\d+") == of_config


def test_the_job_is_handed_over_by_a_file_and_nothing_is_started_or_waited_for(api: Api, planned: World) -> None:
    launch(api, planned, f"--accelerator={ACCELERATOR}", "--min_ram_bytes=1073741824")
    assert api.jobs == {}
    job = json.loads(api.staged[TEMPLATE])
    assert job["name"] == "embed-r"
    (pool,) = job["environment"]["workerPools"]
    assert {image["containerImage"] for image in pool["sdkHarnessContainerImages"]} == {IMAGE}
    graph = job["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"].removeprefix("gs://")
    pipeline = proto.Pipeline.FromString(api.staged[graph])
    hinted = [environment.resource_hints for environment in pipeline.components.environments.values()]
    assert [dict(hints) for hints in hinted if hints] == [
        {resource_hints.ACCELERATOR.urn: ACCELERATOR.encode(), resource_hints.MIN_RAM_BYTES.urn: b"1073741824"}
    ]


def test_the_job_does_what_is_left_and_the_stage_goes_on_from_there(planned: World) -> None:
    main([f"--store={planned.store.uri}", "--run_id=r", "--batch=4", f"--runner={IN_PROCESS}"])
    assert UnitTable(planned.store, "embeddings/model-a/model-a").unit_ids()
    manifest = run_stage(planned.context("r"), "embed", stage.run)
    assert (manifest["counts"]["in"], manifest["counts"]["ok"]) == (20, 20)
    with pytest.raises(StageError, match=r"all \d+ units of run 'r' are done; go on with `visual-search run"):
        main([f"--store={planned.store.uri}", "--run_id=r"])


def test_a_run_without_a_plan_is_an_error_that_touches_nothing(world: World) -> None:
    world.store.put("runs/r/embed/plan/todo/00000.parquet", b"being planned")
    with pytest.raises(StageError, match=r"run 'r' of .* has no plan of embed; start `visual-search embed --run-id r`"):
        main([f"--store={world.store.uri}", "--run_id=r"])
    assert world.store.exists("runs/r/embed/plan/todo/00000.parquet")


def test_the_image_starts_the_program_that_is_tested_here() -> None:
    dockerfile = (INFRA / "Dockerfile").read_text(encoding="utf-8")
    (started,) = re.findall(r"FLEX_TEMPLATE_PYTHON_PY_FILE=(\S+)", dockerfile)
    assert f"COPY infra/dataflow/embed_units.py {started}" in dockerfile
    program = (INFRA / "embed_units.py").read_text(encoding="utf-8")
    assert f"from {main.__module__} import main" in program
