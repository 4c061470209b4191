"""A stage's job on Dataflow: started once, found again, watched, told of, cancelled; the API is one on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from pipelines.config import BeamSection
from pipelines.errors import StageError
from pipelines.jobs.jobs import Jobs, job_name, labels
from pipelines.jobs.runners import dataflow
from tests.jobs.dataflow_api import LIMIT_S, PROJECT, REGION, Api, dataflow_api
from tests.signals import ctrl_c_is_heard

ROOT = Path(__file__).parents[2]
OWNER = "gs://bucket/shop/runs/20261122T020000Z/embed"
NAME = job_name(OWNER, "units")
LAUNCHER = """
import sys
import apache_beam as beam
from pipelines.config import BeamSection
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.runners import dataflow
dataflow.POLL_S = 0.05
section, owner = BeamSection.model_validate_json(sys.argv[1]), sys.argv[2]
Jobs(section, owner).run("units", lambda pipeline: pipeline | beam.Create([1]))
"""
MESSAGE = "pipelines.errors.StageError: model abc gives an embedding of norm 2, expected 1; export a better model"
TRACEBACK = f"""Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1501, in apache_beam.runners.common.DoFnRunner.process
  File "/opt/visual-search/lib/python3.12/site-packages/pipelines/embed/model.py", line 66, in _outputs
    raise StageError(
{MESSAGE}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/local/lib/python3.12/site-packages/apache_beam/runners/worker/sdk_worker.py", line 313, in _execute
    response = task()
{MESSAGE} [while running 'Embed-ptransform-45']
"""
WORKFLOW = "Workflow failed. Causes: S03:Embed failed., The job failed because a work item has failed 4 times."


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(dataflow, "POLL_S", 0.05)
    monkeypatch.setattr(dataflow, "MESSAGE_S", 30.0)
    with dataflow_api() as api:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", api.url)
        yield api


def section_for(api: Api, **more: Any) -> BeamSection:
    where = {"project": PROJECT, "region": REGION, "temp_location": "gs://bucket/temp", "image": "r.example/p/worker:1"}
    return BeamSection.model_validate({"runner": "dataflow", "options": api.options, "dataflow": where | more})


def build(pipeline: beam.Pipeline) -> None:
    _ = pipeline | beam.Create([1])


def never(_: Any) -> None:
    raise AssertionError("no second job may be built")


def run(api: Api, how: Any = build) -> None:
    Jobs(section_for(api), OWNER).run("units", how)


def test_a_job_is_created_once_and_followed_until_it_is_done(api: Api) -> None:
    api.on_create = lambda job_id: threading.Timer(0.3, api.go, (job_id, "DONE")).start()
    run(api)
    (job,) = api.jobs.values()
    assert (job["name"], job["type"], job["currentState"]) == (NAME, 1, "JOB_STATE_DONE")
    assert job["labels"] == labels(OWNER, "units")
    assert job["labels"]["visual-search-run"] == "20261122t020000z"


def test_a_job_that_runs_already_is_waited_for_and_none_is_built(api: Api) -> None:
    for other in ("vs-other-1", "vs-other-2", "vs-other-3"):
        api.create({"name": other})
    job_id = api.create({"name": NAME})["id"]
    api.go(job_id, "RUNNING")
    threading.Timer(0.3, api.go, (job_id, "DONE")).start()
    run(api, never)
    assert len(api.jobs) == 4


def test_a_job_of_the_past_is_not_taken_for_this_one(api: Api) -> None:
    before = api.create({"name": NAME})["id"]
    api.go(before, "FAILED", WORKFLOW)
    api.on_create = lambda job_id: api.go(job_id, "DONE")
    run(api)
    assert [job["currentState"] for job in api.jobs.values()] == ["JOB_STATE_FAILED", "JOB_STATE_DONE"]


def test_of_two_launchers_at_once_one_creates_the_job_and_both_wait_for_it(api: Api) -> None:
    def build_late(pipeline: beam.Pipeline) -> None:
        build(pipeline)
        api.create({"name": NAME, "clientRequestId": "another launcher's"})
        api.on_create = lambda job_id: threading.Timer(0.3, api.go, (job_id, "DONE")).start()

    run(api, build_late)
    assert len(api.jobs) == 1


@pytest.mark.parametrize("late", [False, True])
def test_a_failed_job_is_an_error_with_the_workers_message_and_the_jobs_page(api: Api, late: bool) -> None:
    def fail(job_id: str) -> None:
        api.go(job_id, "FAILED", *(() if late else (TRACEBACK, WORKFLOW)))
        if late:
            threading.Timer(0.5, api.go, (job_id, "FAILED", TRACEBACK, WORKFLOW)).start()

    api.on_create = fail
    with pytest.raises(StageError) as caught:
        run(api)
    job_id = api.wait_for_job()
    where = f"https://console.cloud.google.com/dataflow/jobs/{REGION}/{job_id}?project={PROJECT}"
    assert str(caught.value) == (
        "model abc gives an embedding of norm 2, expected 1; export a better model "
        f"({NAME} on Dataflow ({PROJECT}, {REGION}): {where})"
    )


def test_what_the_service_itself_says_is_told_when_no_worker_came_to_run(api: Api) -> None:
    quota = "Workflow failed. Causes: The job could not be started: quota NVIDIA_L4_GPUS in region europe-west4 is 0."
    api.on_create = lambda job_id: api.go(job_id, "FAILED", quota)
    with pytest.raises(StageError, match=re.escape(f"{quota} ({NAME} on Dataflow")):
        run(api)


def test_a_job_that_someone_cancels_says_so(api: Api) -> None:
    api.on_create = lambda job_id: api.go(job_id, "CANCELLED", "Workers were shut down.")
    with pytest.raises(StageError, match="it was cancelled"):
        run(api)


def test_the_api_may_be_away_for_a_while(api: Api) -> None:
    job_id = api.create({"name": NAME})["id"]
    api.broken = 2
    threading.Timer(0.5, api.go, (job_id, "DONE")).start()
    run(api, never)
    assert api.broken == 0


def test_an_api_that_says_no_is_an_error_with_the_fix(api: Api) -> None:
    section = section_for(api, project="another-project")
    with pytest.raises(
        StageError, match=r"cannot be asked: .*404.*check beam\.dataflow\.project and \.region"
    ) as caught:
        Jobs(section, OWNER).run("units", never)
    assert "roles/dataflow.developer" in str(caught.value)


def test_no_credentials_are_an_error_with_the_fix(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataflow, "get_service_credentials", lambda _: None)
    section = section_for(api).model_copy(update={"options": []})
    with pytest.raises(StageError, match="gcloud auth application-default login"):
        Jobs(section, OWNER).run("units", never)


def launcher(api: Api, tmp_path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", LAUNCHER, section_for(api).model_dump_json(), OWNER]
    with (tmp_path / "launcher.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=dict(os.environ))


@pytest.mark.slow
def test_a_launcher_that_is_killed_leaves_its_job_and_the_next_attempt_waits_for_it(api: Api, tmp_path: Path) -> None:
    first = launcher(api, tmp_path)
    job_id = api.wait_for_job()
    api.go(job_id, "RUNNING")
    first.kill()
    first.wait()
    second = launcher(api, tmp_path)
    until = time.monotonic() + LIMIT_S
    while f"{NAME} runs on Dataflow ({PROJECT}, {REGION}) already" not in (tmp_path / "launcher.log").read_text():
        assert time.monotonic() < until, "the second attempt has not found the job"
        time.sleep(0.1)
    api.go(job_id, "DONE")
    assert second.wait(LIMIT_S) == 0
    assert list(api.jobs) == [job_id]


@pytest.mark.slow
def test_ctrl_c_cancels_the_job(api: Api, tmp_path: Path) -> None:
    with ctrl_c_is_heard():
        process = launcher(api, tmp_path)
    job_id = api.wait_for_job()
    api.go(job_id, "RUNNING")
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) != 0
    assert api.jobs[job_id]["currentState"] == "JOB_STATE_CANCELLED"
    assert len(api.jobs) == 1


def test_the_request_says_what_the_config_says(api: Api) -> None:
    api.on_create = lambda job_id: api.go(job_id, "DONE")
    where = {"zone": "europe-west4-b", "service_account": "worker@some-project.iam.gserviceaccount.com"}
    net = {"network": "shop", "subnetwork": "regions/europe-west4/subnetworks/shop"}
    size = {"machine_type": "c3-standard-8", "disk_gb": 200, "max_workers": 3, "labels": {"team": "search"}}
    Jobs(section_for(api, **where, **net, **size), OWNER).run("units", build)
    (job,) = api.jobs.values()
    environment, (pool,) = job["environment"], job["environment"]["workerPools"]
    assert environment["serviceAccountEmail"] == where["service_account"]
    assert environment["workerZone"] == where["zone"]
    assert (pool["network"], pool["subnetwork"], pool["ipConfiguration"]) == (*net.values(), 2)  # 2: private addresses
    assert (pool["machineType"], pool["diskSizeGb"], pool["autoscalingSettings"]["maxNumWorkers"]) == (
        "c3-standard-8",
        200,
        3,
    )
    assert job["labels"] == {"team": "search", **labels(OWNER, "units")}
    assert "no_use_multiple_sdk_containers" in environment["experiments"]


def test_one_process_a_core_is_the_services_own_way(api: Api) -> None:
    api.on_create = lambda job_id: api.go(job_id, "DONE")
    Jobs(section_for(api, processes="one_a_core", public_ips=True), OWNER).run("units", build)
    (job,) = api.jobs.values()
    assert "no_use_multiple_sdk_containers" not in job["environment"]["experiments"]
    assert job["environment"]["workerPools"][0]["ipConfiguration"] == 1


def test_a_job_with_a_gpu_runs_the_image_for_it(api: Api) -> None:
    api.on_create = lambda job_id: api.go(job_id, "DONE")
    jobs = Jobs(section_for(api, gpu_image="r.example/p/gpu:1"), OWNER)
    jobs.run("units", build, on_gpu=True)
    jobs.run("resolve", build)
    images = [job["environment"]["workerPools"][0]["workerHarnessContainerImage"] for job in api.jobs.values()]
    assert images == ["r.example/p/gpu:1", "r.example/p/worker:1"]
    assert "r.example/p/worker:1" not in json.dumps(next(iter(api.jobs.values())))
