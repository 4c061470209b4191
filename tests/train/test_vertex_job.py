"""One training is one job of Vertex AI: created once, attached to, waited for, and its end understood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.aiplatform_v1.types import PipelineTaskDetail

from pipelines.config import VertexSection
from pipelines.errors import StageError
from pipelines.train import vertex_job
from pipelines.train.vertex_job import VertexJob, VertexJobs, newest_attempt, output_uri, state_of, wait_for
from tests.train.vertex_service import State, VertexService, turns, vertex_service

Task = PipelineTaskDetail.State
PENDING, RUNNING = State.PIPELINE_STATE_PENDING, State.PIPELINE_STATE_RUNNING
SUCCEEDED, FAILED, CANCELLED = (
    State.PIPELINE_STATE_SUCCEEDED,
    State.PIPELINE_STATE_FAILED,
    State.PIPELINE_STATE_CANCELLED,
)
BODY = {"displayName": "a training", "runtimeConfig": {"gcsOutputDirectory": "gs://shop-work/vertex"}}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VertexService]:
    monkeypatch.setattr(vertex_job, "POLL_S", 0.01)
    with vertex_service(tmp_path) as (served, key):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        yield served


def section(endpoint: str | None = None) -> VertexSection:
    return VertexSection(
        project="p-1",
        region="europe-west4",
        image="europe-west4-docker.pkg.dev/p-1/search/worker:1",
        pipeline_root="gs://shop-work/vertex/",
        service_account="trainer@p-1.iam.gserviceaccount.com",
        endpoint=endpoint,
    )


@pytest.fixture
def job(service: VertexService) -> VertexJob:
    return VertexJob.of(section(service.url), "gs://shop/store", "daily.2026-11-22", "a-key")


@pytest.fixture
def jobs(job: VertexJob) -> VertexJobs:
    return VertexJobs(job.section, tried_for_s=5.0)


def test_a_job_is_named_by_its_run_and_by_what_is_trained(job: VertexJob, tmp_path: Path) -> None:
    def name(store: str = "gs://shop/store", run: str = "daily.2026-11-22", key: str = "a-key") -> str:
        return VertexJob.of(job.section, store, run, key).name

    assert name() == job.name
    assert job.name.startswith("train-daily-2026-11-22-")
    others = {name(store="gs://other/store"), name(run="daily-2026-11-22"), name(key="another"), job.name}
    assert len(others) == 4
    assert job.folder == f"gs://shop-work/vertex/{job.name}"
    job.save(tmp_path / "vertex.json")
    assert VertexJob.load(tmp_path / "vertex.json") == job


@pytest.mark.parametrize("run_id", ["Überlauf.Nr_7", "r" * 200, "0"])
def test_whatever_the_run_is_called_the_service_takes_the_id(job: VertexJob, jobs: VertexJobs, run_id: str) -> None:
    named = VertexJob.of(job.section, "gs://shop/store", run_id, "k")
    assert state_of(jobs.create(named.attempt(99), BODY)) == "PENDING"


def test_what_is_not_there_is_none(jobs: VertexJobs) -> None:
    assert jobs.get("train-nothing-1") is None


def test_a_second_start_attaches_to_the_first(service: VertexService, job: VertexJob, jobs: VertexJobs) -> None:
    assert newest_attempt(jobs, job, lambda _: None) == (1, None)
    jobs.create(job.attempt(1), BODY)
    again = jobs.create(job.attempt(1), {**BODY, "displayName": "another"})
    assert again["displayName"] == "a training"
    number, found = newest_attempt(VertexJobs(job.section), job, lambda _: None)
    assert (number, found and found["name"].rpartition("/")[2]) == (1, job.attempt(1))
    assert service.created == [job.attempt(1)]


def test_a_finished_job_is_attached_to(service: VertexService, job: VertexJob, jobs: VertexJobs) -> None:
    jobs.create(job.attempt(1), BODY)
    service.script = [turns(SUCCEEDED)]
    number, found = newest_attempt(jobs, job, lambda _: None)
    assert (number, found and state_of(found)) == (1, "SUCCEEDED")
    assert state_of(wait_for(jobs, job, number, lambda _: None)) == "SUCCEEDED"


def test_a_job_is_waited_for_and_its_steps_are_told(service: VertexService, job: VertexJob, jobs: VertexJobs) -> None:
    jobs.create(job.attempt(1), BODY)
    trains = {"Trainer": (Task.RUNNING, None)}
    service.script = [turns(PENDING), turns(RUNNING, tasks=trains), turns(RUNNING), turns(SUCCEEDED)]
    told: list[str] = []
    wait_for(jobs, job, 1, told.append)
    page = (
        f"https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/runs/{job.attempt(1)}?project=p-1"
    )
    assert told == [
        f"Vertex AI runs it as {job.attempt(1)}: {page}",
        "Vertex AI: pending",
        "Vertex AI: running, Trainer running",
        "Vertex AI: succeeded, Trainer running",
    ]


def test_a_failed_step_is_an_error_with_its_words_and_the_page(
    service: VertexService, job: VertexJob, jobs: VertexJobs
) -> None:
    jobs.create(job.attempt(1), BODY)
    tasks = {"StatisticsGen": (Task.SUCCEEDED, None), "Trainer": (Task.FAILED, "The replica exited with code 137.")}
    service.script = [turns(RUNNING), turns(FAILED, error="The DAG failed because some tasks failed.", tasks=tasks)]
    with pytest.raises(StageError) as caught:
        wait_for(jobs, job, 1, lambda _: None)
    assert str(caught.value) == (
        f"training failed in Trainer: The replica exited with code 137.; see {job.console(job.attempt(1))}, "
        "and run again for another attempt"
    )


def test_a_job_that_fails_as_a_whole_says_why(service: VertexService, job: VertexJob, jobs: VertexJobs) -> None:
    jobs.create(job.attempt(1), BODY)
    service.script = [turns(FAILED, error="Quota exceeded: custom_model_training_nvidia_l4_gpus")]
    with pytest.raises(StageError, match="training failed: Quota exceeded: custom_model_training_nvidia_l4_gpus; see"):
        wait_for(jobs, job, 1, lambda _: None)


def test_a_cancelled_job_is_an_error(service: VertexService, job: VertexJob, jobs: VertexJobs) -> None:
    jobs.create(job.attempt(1), BODY)
    service.script = [turns(State.PIPELINE_STATE_CANCELLING), turns(CANCELLED)]
    with pytest.raises(StageError, match="the training was cancelled in Vertex AI; see https://console"):
        wait_for(jobs, job, 1, lambda _: None)


def test_a_job_that_is_deleted_meanwhile_is_an_error(service: VertexService, job: VertexJob, jobs: VertexJobs) -> None:
    jobs.create(job.attempt(1), BODY)
    service.script = [lambda _: service.jobs.clear()]
    with pytest.raises(StageError, match=f"no job {job.attempt(1)} any more"):
        wait_for(jobs, job, 1, lambda _: None)


def test_only_after_a_job_ended_badly_there_is_another(
    service: VertexService, job: VertexJob, jobs: VertexJobs
) -> None:
    jobs.create(job.attempt(1), BODY)
    jobs.create(job.attempt(2), BODY)
    for attempt, state in ((1, FAILED), (2, CANCELLED)):
        service.jobs[job.attempt(attempt)].state = state
    told: list[str] = []
    assert newest_attempt(jobs, job, told.append) == (3, None)
    assert told == [
        f"attempt {n} {end} ({job.console(job.attempt(n))})" for n, end in ((1, "failed"), (2, "cancelled"))
    ]


@pytest.mark.parametrize("how", [503, 429, "lost"])
def test_what_passes_is_asked_again_and_starts_nothing_twice(
    service: VertexService, job: VertexJob, jobs: VertexJobs, how: int | str
) -> None:
    service.broken = [("POST", how), ("GET", how)]
    assert jobs.create(job.attempt(1), BODY)["name"].endswith(job.attempt(1))
    assert jobs.get(job.attempt(1)) is not None
    assert service.created == [job.attempt(1)]
    assert service.broken == []


def test_a_service_that_stays_away_is_an_error(service: VertexService, job: VertexJob) -> None:
    service.broken = [("GET", 503)] * 9
    with pytest.raises(StageError, match=r"cannot be asked \(http.*: 503 .*a bad day.*run again"):
        VertexJobs(job.section, tried_for_s=0.5).get(job.attempt(1))


def test_what_is_forbidden_is_said_at_once_with_the_role_to_give(
    service: VertexService, job: VertexJob, jobs: VertexJobs
) -> None:
    service.broken = [("POST", 403)]
    with pytest.raises(StageError, match=r"give this account roles/aiplatform.user on the project"):
        jobs.create(job.attempt(1), BODY)


def test_a_wrong_place_is_an_error(job: VertexJob, jobs: VertexJobs) -> None:
    jobs.url = jobs.url.replace("/v1/", "/v0/")
    with pytest.raises(StageError, match=r"404 .* no such method"):
        jobs.create(job.attempt(1), BODY)


def test_without_credentials_the_error_says_how_to_get_them(
    job: VertexJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    with pytest.raises(StageError, match="gcloud auth application-default login"):
        VertexJobs(job.section).get(job.attempt(1))


def test_by_default_the_region_has_the_service() -> None:
    assert VertexJobs(section()).url == (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west4/pipelineJobs"
    )


def test_outputs_are_found_by_step_and_name(job: VertexJob) -> None:
    artifacts = {"evaluation": {"artifacts": [{"uri": "gs://shop-work/e"}]}}
    done = {"name": "n", "jobDetail": {"taskDetails": [{"taskName": "Evaluator", "outputs": artifacts}]}}
    assert output_uri(done, "Evaluator", "evaluation") == "gs://shop-work/e"
    with pytest.raises(StageError, match="names no output 'model' of Trainer"):
        output_uri(done, "Trainer", "model")
