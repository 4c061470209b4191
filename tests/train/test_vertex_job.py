"""One training is one job of Vertex AI: created once, attached to, waited for, and its end understood."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.aiplatform_v1.types import PipelineJob, PipelineTaskDetail

from pipelines.config import VertexSection
from pipelines.errors import StageError
from pipelines.jobs.remote import JobStatus, RemoteJob
from pipelines.runs import termination
from pipelines.train import vertex_job
from pipelines.train.launch import VERTEX_MODULE, run_in_subprocess
from pipelines.train.vertex_job import VERTEX_JSON, Vertex, VertexJob, output_uri, state_of
from tests.signals import ctrl_c_is_heard
from tests.train.vertex_service import State, VertexService, turns, vertex_service
from trainer.config import TrainSpec

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
def vertex(job: VertexJob) -> Vertex:
    return Vertex(job.section, tried_for_s=5.0)


def train(vertex: Vertex, job: VertexJob) -> tuple[JobStatus, list[str]]:
    """Run the training, each attempt a job; return the one that did it, and what was said."""
    told: list[str] = []

    def submit(before: JobStatus | None) -> str:
        job_id = job.attempt(job.number(before.job_id) + 1 if before else 1)
        vertex.create(job_id, BODY)
        return job_id

    return RemoteJob(vertex, job.name, once=True, say=told.append).run(submit), told


def page(job_id: str) -> str:
    return f"https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/runs/{job_id}?project=p-1"


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
def test_whatever_the_run_is_called_the_service_takes_the_id(job: VertexJob, vertex: Vertex, run_id: str) -> None:
    named = VertexJob.of(job.section, "gs://shop/store", run_id, "k")
    assert state_of(vertex.create(named.attempt(99), BODY)) == "PENDING"


def test_what_is_not_there_is_none(vertex: Vertex) -> None:
    assert vertex.get("train-nothing-1") is None


WHERE = "Vertex AI (p-1, europe-west4)"


def test_a_second_start_attaches_to_the_first(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    vertex.create(job.attempt(1), BODY)
    again = vertex.create(job.attempt(1), {**BODY, "displayName": "another"})
    assert again["displayName"] == "a training"
    service.script = [turns(RUNNING), turns(RUNNING), turns(SUCCEEDED)]
    done, told = train(Vertex(job.section), job)
    assert (done.job_id, service.created) == (job.attempt(1), [job.attempt(1)])
    assert told[0] == f"{job.name} runs on {WHERE} already; waiting for it: {page(job.attempt(1))}"


def test_a_training_that_is_done_is_not_done_again(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    vertex.create(job.attempt(1), BODY)
    service.script = [turns(SUCCEEDED)]
    done, told = train(vertex, job)
    assert (done.state, service.created) == ("SUCCEEDED", [job.attempt(1)])
    assert told == [f"{job.name} is done on {WHERE} already: {page(job.attempt(1))}", "Vertex AI: succeeded"]


def test_a_job_is_waited_for_and_its_steps_are_told(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    trains = {"Trainer": (Task.RUNNING, None)}
    service.script = [turns(PENDING), turns(RUNNING, tasks=trains), turns(RUNNING), turns(SUCCEEDED)]
    _, told = train(vertex, job)
    assert told == [
        f"{job.name} runs on {WHERE}: {page(job.attempt(1))}",
        "Vertex AI: pending",
        "Vertex AI: running, Trainer running",
        "Vertex AI: succeeded, Trainer running",
    ]


def test_a_failed_step_is_an_error_with_its_words_and_the_page(
    service: VertexService, job: VertexJob, vertex: Vertex
) -> None:
    tasks = {"StatisticsGen": (Task.SUCCEEDED, None), "Trainer": (Task.FAILED, "The replica exited with code 137.")}
    service.script = [turns(RUNNING), turns(FAILED, error="The DAG failed because some tasks failed.", tasks=tasks)]
    with pytest.raises(StageError) as caught:
        train(vertex, job)
    assert str(caught.value) == (
        f"training failed in Trainer: The replica exited with code 137. ({job.name} on {WHERE}: {page(job.attempt(1))})"
    )


def test_a_job_that_fails_as_a_whole_says_why(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    service.script = [turns(FAILED, error="Quota exceeded: custom_model_training_nvidia_l4_gpus")]
    with pytest.raises(StageError, match=r"training failed: Quota exceeded: custom_model_training_nvidia_l4_gpus \(tr"):
        train(vertex, job)


def test_a_cancelled_job_is_an_error(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    service.script = [turns(State.PIPELINE_STATE_CANCELLING), turns(CANCELLED)]
    with pytest.raises(StageError, match=r"the training was cancelled in Vertex AI \(train-.*https://console"):
        train(vertex, job)


def test_a_job_that_is_deleted_meanwhile_is_an_error(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    service.script = [lambda _: service.jobs.clear()]
    with pytest.raises(StageError, match=f"no job {job.attempt(1)} any more"):
        train(vertex, job)


def test_only_after_a_job_ended_badly_there_is_another(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    vertex.create(job.attempt(1), BODY)
    vertex.create(job.attempt(2), BODY)
    for attempt, state in ((1, FAILED), (2, CANCELLED)):
        service.jobs[job.attempt(attempt)].state = state
    service.on_create = lambda created: setattr(created, "state", SUCCEEDED)
    done, told = train(vertex, job)
    assert done.job_id == job.attempt(3)
    assert told[0] == f"{job.name} ended before on {WHERE}, cancelled: {page(job.attempt(2))}"


def test_ctrl_c_cancels_the_job_that_is_waited_for(service: VertexService, job: VertexJob, vertex: Vertex) -> None:
    def pressed(_: PipelineJob) -> None:
        signal.raise_signal(signal.SIGINT)

    vertex.create(job.attempt(1), BODY)
    service.jobs[job.attempt(1)].state = FAILED
    service.script = [lambda _: None, turns(RUNNING), pressed]
    with ctrl_c_is_heard(), pytest.raises(KeyboardInterrupt):
        train(vertex, job)
    assert service.cancelled == [job.attempt(2)]
    assert vertex.look(job.attempt(2)).state == "CANCELLED"


@pytest.fixture
def as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("sent", "on_sigterm", "ends"),
    [
        (signal.SIGINT, "cancel", KeyboardInterrupt),
        (signal.SIGTERM, "cancel", termination.TerminatedError),
        (signal.SIGTERM, "leave", termination.LeavingError),
    ],
)
@pytest.mark.usefixtures("as_before")
def test_the_stages_end_cancels_the_training_unless_another_attempt_is_to_attach_to_it(
    service: VertexService,
    job: VertexJob,
    vertex: Vertex,
    tmp_path: Path,
    sent: signal.Signals,
    on_sigterm: str,
    ends: type[BaseException],
) -> None:
    vertex.create(job.attempt(1), BODY)
    spec = TrainSpec("gs://shop/store/examples/r1", "t", str(tmp_path / "work"), str(tmp_path), "24x16-q95-v1", 24, 16)
    Path(spec.work).mkdir()
    job.save(Path(spec.work, VERTEX_JSON))
    told: list[str] = []

    def hear(line: str) -> None:
        told.append(line)
        if line == "Vertex AI: pending":
            os.kill(os.getpid(), sent)

    with ctrl_c_is_heard(), pytest.raises(ends):
        termination.listen(on_sigterm)
        run_in_subprocess(spec, hear, VERTEX_MODULE)
    assert service.cancelled == ([job.attempt(1)] if on_sigterm == "cancel" else [])
    assert (f"cancelling {job.name} on {WHERE}" in told) == (on_sigterm == "cancel")


def test_a_job_that_ends_while_it_is_cancelled_stays_as_it_is(
    service: VertexService, job: VertexJob, vertex: Vertex
) -> None:
    vertex.create(job.attempt(1), BODY)
    service.jobs[job.attempt(1)].state = SUCCEEDED
    vertex.cancel(job.attempt(1))
    assert vertex.look(job.attempt(1)).done


@pytest.mark.parametrize("how", [503, 429, "lost"])
def test_what_passes_is_asked_again_and_starts_nothing_twice(
    service: VertexService, job: VertexJob, vertex: Vertex, how: int | str
) -> None:
    service.broken = [("POST", how), ("GET", how)]
    assert vertex.create(job.attempt(1), BODY)["name"].endswith(job.attempt(1))
    assert vertex.get(job.attempt(1)) is not None
    assert service.created == [job.attempt(1)]
    assert service.broken == []


def test_a_service_that_stays_away_is_an_error(service: VertexService, job: VertexJob) -> None:
    service.broken = [("GET", 503)] * 9
    with pytest.raises(StageError, match=r"cannot be asked \(http.*: 503 .*a bad day.*run again"):
        Vertex(job.section, tried_for_s=0.5).get(job.attempt(1))


def test_what_is_forbidden_is_said_at_once_with_the_role_to_give(
    service: VertexService, job: VertexJob, vertex: Vertex
) -> None:
    service.broken = [("POST", 403)]
    with pytest.raises(StageError, match=r"give this account roles/aiplatform.user on the project"):
        vertex.create(job.attempt(1), BODY)


def test_a_wrong_place_is_an_error(job: VertexJob, vertex: Vertex) -> None:
    vertex.url = vertex.url.replace("/v1/", "/v0/")
    with pytest.raises(StageError, match=r"404 .* no such method"):
        vertex.create(job.attempt(1), BODY)


def test_without_credentials_the_error_says_how_to_get_them(
    job: VertexJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    with pytest.raises(StageError, match="gcloud auth application-default login"):
        Vertex(job.section).get(job.attempt(1))


def test_by_default_the_region_has_the_service() -> None:
    assert Vertex(section()).url == (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west4/pipelineJobs"
    )


def test_outputs_are_found_by_step_and_name(job: VertexJob) -> None:
    artifacts = {"evaluation": {"artifacts": [{"uri": "gs://shop-work/e"}]}}
    done = {"name": "n", "jobDetail": {"taskDetails": [{"taskName": "Evaluator", "outputs": artifacts}]}}
    assert output_uri(done, "Evaluator", "evaluation") == "gs://shop-work/e"
    with pytest.raises(StageError, match="names no output 'model' of Trainer"):
        output_uri(done, "Trainer", "model")
