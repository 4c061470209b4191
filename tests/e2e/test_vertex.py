"""Trained by a stand-in of Vertex AI that runs the compiled steps as they are, on gs:// alone, and taken home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.aiplatform_v1.types import PipelineJob, PipelineTaskDetail

from pipelines.store import Store, open_store
from tests.e2e.conftest import Shop, copy_of
from tests.gcs.emulator import Emulator
from tests.gcs.tls import as_google
from tests.train.conftest import go_live
from tests.train.vertex_service import State, VertexService, vertex_service

pytestmark = [pytest.mark.gcs, pytest.mark.slow, pytest.mark.timeout(3600)]

CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"
ROOT = Path(__file__).parents[2]
STEPS = ["CheckAnomalies", "Evaluator", "ExampleValidator", "Examples", "ImportSchemaGen"]
STEPS += ["LiveModel", "Pusher", "StatisticsGen", "Trainer", "Transform"]
PLACE = """
[train.vertex]
project = "p-1"
region = "europe-west4"
image = "europe-west4-docker.pkg.dev/p-1/search/worker:1"
pipeline_root = "{root}"
service_account = "trainer@p-1.iam.gserviceaccount.com"
endpoint = "{url}"
"""


@pytest.fixture(scope="module")
def service(gcs: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VertexService]:
    """The stand-in, and an environment in which everything that asks Google asks this machine."""
    folder = tmp_path_factory.mktemp("vertex")
    with vertex_service(folder) as (served, key), as_google(gcs.url.removeprefix("http://"), folder) as google:
        steps = Steps(folder, {**os.environ, **google, "PYTHONPATH": str(ROOT), CREDENTIALS: str(key)})
        served.on_create = steps.start
        before = os.environ.get(CREDENTIALS)
        os.environ[CREDENTIALS] = str(key)
        try:
            yield served
        finally:
            steps.stop()
            del os.environ[CREDENTIALS]
            if before is not None:
                os.environ[CREDENTIALS] = before


class Steps:
    """Runs the steps of jobs, each job's in a process that knows no local path but its own, to their end or `stop`."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.processes: list[subprocess.Popen[bytes]] = []
        self.threads: list[threading.Thread] = []

    def start(self, job: PipelineJob) -> None:
        """Begin, and keep in the job what becomes of it."""
        name = job.name.rpartition("/")[2]
        given, details, away = (self.folder / f"{name}{end}" for end in (".json", ".details.json", ""))
        given.write_text(PipelineJob.to_json(job, including_default_value_fields=False))
        away.mkdir()
        command = [sys.executable, "-m", "tests.gcs.containers", str(given), str(details)]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=away, env=self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        self.threads.append(threading.Thread(target=self._follow, args=(process, job, details)))
        self.threads[-1].start()

    def _follow(self, process: subprocess.Popen[bytes], job: PipelineJob, details: Path) -> None:
        job.state = State.PIPELINE_STATE_RUNNING
        status = process.wait()
        for detail in json.loads(details.read_text()) if details.is_file() else []:
            job.job_detail.task_details.append(PipelineTaskDetail.from_json(json.dumps(detail)))
        job.state = State.PIPELINE_STATE_FAILED if status else State.PIPELINE_STATE_SUCCEEDED

    def stop(self) -> None:
        """End what still runs."""
        for process in self.processes:
            process.kill()
        for thread in self.threads:
            thread.join()


def placed(drawn: Shop, gcs: Emulator, service: VertexService, folder: Path) -> tuple[Shop, Store]:
    """Return the catalogue with an empty store in a bucket, to be trained by the service."""
    shop, uri = copy_of(drawn, folder), gcs.new_store_uri()
    shop.configure(r'^uri = "store"$', f'uri = "{uri}"')
    shop.configure(r"^\[train\]$", '[train]\nengine = "vertex"\npolicy = "always"')
    with shop.config.open("a") as file:
        file.write(PLACE.format(root=gcs.new_store_uri(), url=service.url))
    return shop, open_store(uri)


@pytest.fixture(scope="module")
def twice(
    drawn: Shop, gcs: Emulator, service: VertexService, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Shop, Store]:
    """A catalogue whose first model is live, and a second one trained beside it, both by the service."""
    gcs.heal()
    shop, store = placed(drawn, gcs, service, tmp_path_factory.mktemp("twice"))
    shop.run("first", "--to", "train")
    go_live(store, store.read_json("runs/first/train/manifest.json")["outputs"]["model_id"])
    shop.run("second", "--to", "train")
    return shop, store


def test_the_service_trains_each_model_once(twice: tuple[Shop, Store], service: VertexService) -> None:
    _, store = twice
    assert [name.rpartition("-")[2] for name in service.created] == ["1", "1"]
    models = [store.read_json(f"runs/{run}/train/manifest.json")["outputs"] for run in ("first", "second")]
    assert [each["decision"] for each in models] == ["trained", "trained"]
    assert len({each["model_id"] for each in models}) == 2
    steps = sorted(detail.task_name for detail in service.jobs[service.created[1]].job_detail.task_details)
    assert steps == STEPS


def test_what_comes_home_is_what_a_training_here_leaves(twice: tuple[Shop, Store], trained: Shop) -> None:
    _, store = twice
    here = open_store(str(trained.store))

    def model(store: Store, run: str) -> tuple[set[str], set[str]]:
        folder = f"models/{store.read_json(f'runs/{run}/train/manifest.json')['outputs']['model_id']}"
        names = {entry.name.removeprefix(f"{folder}/") for entry in store.list(folder)}
        return names, set(store.read_json(f"{folder}/model.json")["metrics"])

    names, metrics = model(here, "first")
    assert model(store, "first") == (names, metrics)
    assert "gate.live.accuracy" in model(store, "second")[1] - metrics


def test_the_second_training_starts_from_the_live_model(twice: tuple[Shop, Store], service: VertexService) -> None:
    _, store = twice
    first, second = (
        store.read_json(f"runs/{run}/train/manifest.json")["outputs"]["model_id"] for run in ("first", "second")
    )
    assert store.read_json(f"models/{second}/model.json")["lineage"]["parent"] == first


def test_a_step_that_fails_fails_the_stage_with_its_words_and_the_address_of_its_page(
    drawn: Shop, gcs: Emulator, service: VertexService, tmp_path: Path
) -> None:
    shop, _ = placed(drawn, gcs, service, tmp_path)
    shop.configure(r"^checkpoint_s = 1$", "repeat = { nobody = 2 }")
    result = shop.cli("run", "--run-id", "failing", "--to", "train", code=1)
    page = f"https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/runs/{service.created[-1]}"
    assert "training failed in Trainer: ValueError: train.repeat names the role 'nobody'" in result.output
    assert page in result.output
