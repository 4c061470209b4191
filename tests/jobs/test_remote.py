"""The job of a name: attached to or submitted, waited for, explained, cancelled."""

from __future__ import annotations

import pytest

from pipelines.errors import StageError
from pipelines.jobs.remote import JobStatus, RemoteJob, Service

NAME = "vs-r-embed-units"


def status(job_id: str, state: str) -> JobStatus:
    hopeless = state == "HOPELESS"
    return JobStatus(job_id, state, state == "DONE", state in {"FAILED", "CANCELLED"}, f"it is {state}", hopeless)


class Cloud(Service):
    """A service whose jobs go through the states that a test gives them; the last one stays."""

    what = "a cloud"
    poll_s = 0.0
    errors = (ConnectionError,)

    def __init__(self, **jobs: list[str]) -> None:
        self.jobs = jobs
        self.cancelled: list[str] = []

    def newest(self, name: str) -> JobStatus | None:
        assert name == NAME
        return status(list(self.jobs)[-1], self.jobs[list(self.jobs)[-1]][0]) if self.jobs else None

    def look(self, job_id: str) -> JobStatus:
        states = self.jobs[job_id]
        return status(job_id, states.pop(0) if len(states) > 1 else states[0])

    def why(self, job_id: str) -> str:
        return f"{job_id} has no luck"

    def page(self, job_id: str) -> str:
        return f"https://cloud/{job_id}"

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)
        self.jobs[job_id] = ["CANCELLED"]


def never(_: JobStatus | None) -> str:
    raise AssertionError("a second job was submitted")


def job(cloud: Cloud, *, once: bool = False) -> tuple[RemoteJob, list[str]]:
    said: list[str] = []
    return RemoteJob(cloud, NAME, once, said.append), said


def test_one_that_runs_is_waited_for() -> None:
    mine, said = job(Cloud(a=["RUNNING", "RUNNING", "RUNNING", "DONE"]))
    assert mine.run(never).job_id == "a"
    assert said == [
        f"{NAME} runs on a cloud already; waiting for it: https://cloud/a",
        "it is RUNNING",
        "it is DONE",
    ]


@pytest.mark.parametrize("ended", ["DONE", "FAILED", "CANCELLED"])
def test_after_one_that_has_ended_another_is_submitted_that_is_told_of_it(ended: str) -> None:
    cloud = Cloud(a=[ended])
    mine, _ = job(cloud)

    def submit(before: JobStatus | None) -> str:
        assert before == status("a", ended)
        cloud.jobs["b"] = ["RUNNING", "DONE"]
        return "b"

    assert mine.run(submit).job_id == "b"


def test_a_name_that_says_all_of_what_is_done_is_done_once() -> None:
    mine, said = job(Cloud(a=["DONE"]), once=True)
    assert mine.run(never).job_id == "a"
    assert said[0] == f"{NAME} is done on a cloud already: https://cloud/a"


def test_a_failure_says_why_and_where() -> None:
    mine, _ = job(Cloud(a=["RUNNING", "FAILED"]))
    with pytest.raises(StageError, match=rf"^a has no luck \({NAME} on a cloud: https://cloud/a\)$"):
        mine.run(never)


def test_one_that_cannot_succeed_is_cancelled() -> None:
    cloud = Cloud(a=["RUNNING", "RUNNING", "HOPELESS", "RUNNING"])
    mine, _ = job(cloud)
    with pytest.raises(StageError, match="a has no luck"):
        mine.run(never)
    assert cloud.cancelled == ["a"]


def test_a_submission_whose_answer_was_lost_is_found() -> None:
    cloud = Cloud(a=["FAILED"])
    mine, _ = job(cloud)

    def submit(_: JobStatus | None) -> str:
        cloud.jobs["b"] = ["DONE"]
        raise ConnectionError("reset by peer")

    assert mine.run(submit).job_id == "b"


def test_a_submission_that_never_arrived_is_an_error() -> None:
    mine, _ = job(Cloud(a=["FAILED"]))

    def submit(_: JobStatus | None) -> str:
        raise ConnectionError("reset by peer")

    with pytest.raises(StageError, match=f"^{NAME} could not be started on a cloud: reset by peer$"):
        mine.run(submit)


def test_ctrl_c_while_it_is_submitted_cancels_what_has_arrived_and_nothing_else() -> None:
    cloud = Cloud(a=["DONE"])
    mine, _ = job(cloud)

    def pressed(_: JobStatus | None) -> str:
        raise KeyboardInterrupt

    def arrived(_: JobStatus | None) -> str:
        cloud.jobs["b"] = ["RUNNING"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mine.run(pressed)
    assert cloud.cancelled == []
    with pytest.raises(KeyboardInterrupt):
        mine.run(arrived)
    assert cloud.cancelled == ["b"]


def test_one_that_does_not_run_is_not_joined() -> None:
    assert not job(Cloud())[0].join()
    assert not job(Cloud(a=["DONE"]))[0].join()
    assert job(Cloud(a=["RUNNING", "DONE"]))[0].join()
