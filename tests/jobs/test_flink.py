"""Flink's REST API as the launcher uses it, answered by a server of the test's: found again, waited for, explained."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import apache_beam as beam
import pytest

from pipelines.config import FlinkSection
from pipelines.errors import StageError
from pipelines.jobs.runners.cluster import run_on
from pipelines.jobs.runners.flink import Flink
from pipelines.jobs.runners.stacks import cause
from tests.servers import serving
from tools.ports import free_port

JOB = "vs-first-embed-units-0badcafe"
STACK = """java.lang.RuntimeException: Error received from SDK harness for instruction 4: Traceback (most recent call):
  File "apache_beam/runners/common.py", line 1500, in process
  File "pipelines/embed/infer.py", line 80, in __call__
pipelines.store.base.StoreError: /s/images/1.parquet is damaged (short); delete it [while running 'Embed']

\tat org.apache.beam.sdk.fn.data.BeamFnDataInboundObserver
Caused by: java.lang.RuntimeException: Error received from SDK harness for instruction 4: Traceback (last):
  File "pipelines/embed/infer.py", line 80, in __call__
pipelines.store.base.StoreError: /s/images/1.parquet is damaged (short); delete it [while running 'Embed']
"""


class Api:
    """A JobManager's REST API; `states` are what a job's state is, one after the other."""

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.states: list[str] = []
        self.stack = ""
        self.cancelled: list[str] = []
        self.url = ""

    def answer(self, path: str) -> Any:
        if path == "/jobs/overview":
            return {"jobs": self.jobs}
        if path.endswith("/exceptions"):
            return {"exceptionHistory": {"entries": [{"stacktrace": self.stack}] if self.stack else []}}
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"state": state}

    def job(self, job_id: str, state: str, start: int = 1, name: str = JOB) -> None:
        self.jobs.append({"jid": job_id, "name": name, "state": state, "start-time": start})
        self.states = [state]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr("pipelines.jobs.runners.flink.POLL_S", 0.01)
    found = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(found.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PATCH(self) -> None:
            found.cancelled.append(self.path)
            found.states = ["CANCELLING", "CANCELED"]
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        found.url = url
        yield found


def flink(api: Api) -> Flink:
    return Flink(FlinkSection(rest=api.url, job_server=f"127.0.0.1:{free_port()}"))


def never(pipeline: beam.Pipeline) -> None:
    raise AssertionError("a second job was built")


def test_a_job_that_runs_is_waited_for_and_no_other_is_started(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.job("old", "FAILED")
    api.job("mine", "RUNNING", start=2)
    api.job("others", "RUNNING", start=3, name="another")
    api.states = ["RUNNING", "RESTARTING", "RUNNING", "FINISHED"]
    run_on(flink(api), JOB, [], never)
    said = capsys.readouterr().err
    assert f"{JOB} runs on Flink ({api.url}) already; waiting for it: {api.url}/#/job/running/mine" in said


def test_a_job_that_was_waited_for_and_failed_says_why(api: Api) -> None:
    api.job("mine", "RUNNING")
    api.states, api.stack = ["RUNNING", "FAILED"], STACK
    with pytest.raises(StageError, match=r"^/s/images/1.parquet is damaged \(short\); delete it \(vs-first.*mine\)$"):
        run_on(flink(api), JOB, [], never)


def test_a_job_that_was_cancelled_says_so(api: Api) -> None:
    api.job("mine", "RUNNING")
    api.states = ["RUNNING", "CANCELED"]
    with pytest.raises(StageError, match="it was cancelled"):
        run_on(flink(api), JOB, [], never)


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "CANCELED"])
def test_a_job_that_has_ended_is_not_waited_for(api: Api, state: str) -> None:
    api.job("old", state)
    with pytest.raises(StageError, match=r"beam\.flink\.job_server = .* no job server answers there .*`make flink`"):
        run_on(flink(api), JOB, [], never)  # it goes on to start one, and there is no job server


def test_ctrl_c_cancels_the_job_that_is_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.job("mine", "RUNNING")

    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.store.retries.time.sleep", pressed)
    with pytest.raises(KeyboardInterrupt):
        run_on(flink(api), JOB, [], never)
    assert api.cancelled == ["/jobs/mine?mode=cancel"]


def test_a_job_that_fails_by_an_error_of_ours_is_ended_at_once(api: Api) -> None:
    api.job("mine", "RUNNING")
    api.states, api.stack = ["RUNNING", "RESTARTING"], STACK
    with pytest.raises(StageError, match=r"^/s/images/1.parquet is damaged \(short\); delete it \(vs-first.*mine\)$"):
        run_on(flink(api), JOB, [], never)
    assert api.cancelled == ["/jobs/mine?mode=cancel"]


LOST = (
    "org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id 1 is no longer reachable.\n\tat a.B\n"
)
AWAY = STACK.replace(
    "StoreError: /s/images/1.parquet is damaged (short); delete it", "UnavailableError: cannot read it: 503"
)


@pytest.mark.parametrize("stack", [LOST, AWAY], ids=["machine", "store"])
def test_a_job_that_lost_a_machine_or_its_store_for_a_while_goes_on(api: Api, stack: str) -> None:
    api.job("mine", "RUNNING")
    api.states, api.stack = ["RUNNING", "RESTARTING", "RESTARTING", "RUNNING", "FINISHED"], stack
    run_on(flink(api), JOB, [], never)
    assert api.cancelled == []


def test_a_job_that_lost_a_machine_and_is_then_cancelled_was_cancelled(api: Api) -> None:
    api.job("mine", "RUNNING")
    api.states, api.stack = ["RUNNING", "RESTARTING", "CANCELED"], LOST
    with pytest.raises(StageError, match="it was cancelled"):
        run_on(flink(api), JOB, [], never)


class Result:
    """What Beam gives for a job that it has submitted; `states` are what the job server says, one after the other."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)
        self.cancelled = False

    @property
    def state(self) -> str:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def cancel(self) -> None:
        self.cancelled = True

    def wait_until_finish(self) -> None:
        if self.states[0] == "FAILED":
            raise RuntimeError("java.lang.IllegalArgumentException: no such coder")


def test_a_job_is_known_to_flink_some_time_after_it_was_submitted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.job("old", "FAILED")
    cluster = flink(api)
    before = cluster.newest(JOB)
    waits = iter([lambda: None, lambda: api.job("mine", "RUNNING", start=2)])
    monkeypatch.setattr("pipelines.store.retries.time.sleep", lambda _: next(waits)())
    assert cluster.submitted(JOB, before, Result("RUNNING")) == "mine"
    assert next(waits, None) is None


def test_a_job_may_end_before_it_is_looked_for(api: Api) -> None:
    api.job("mine", "FINISHED")
    assert flink(api).submitted(JOB, None, Result("DONE")) == "mine"


def test_a_job_that_never_comes_to_flink_says_what_the_job_server_says(api: Api) -> None:
    api.job("old", "FAILED")
    cluster = flink(api)
    with pytest.raises(RuntimeError, match="no such coder"):
        cluster.submitted(JOB, cluster.newest(JOB), Result("STARTING", "FAILED"))


def test_a_job_server_of_another_cluster_is_named(api: Api) -> None:
    with pytest.raises(
        StageError, match=r"beam\.flink\.rest = .* and beam\.flink\.job_server = .* must be of one cluster"
    ):
        flink(api).submitted(JOB, None, Result("RUNNING", "DONE"))


def test_ctrl_c_cancels_a_job_that_flink_does_not_know_yet(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.store.retries.time.sleep", pressed)
    result = Result("RUNNING")
    with pytest.raises(KeyboardInterrupt):
        flink(api).submitted(JOB, None, result)
    assert result.cancelled


def test_a_job_that_cannot_be_cancelled_is_named() -> None:
    section = FlinkSection(rest=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(
        StageError, match=r"could not be cancelled .*; cancel it there: http://127.*/#/job/running/mine"
    ):
        Flink(section).cancel("mine")


def test_without_flink_it_says_which_setting(api: Api) -> None:
    section = FlinkSection(rest=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StageError, match=r"beam\.flink\.rest = 'http://127.*': no Flink answers there"):
        run_on(Flink(section), JOB, [], never)


def test_a_setup_file_that_is_not_there_is_named(api: Api) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        section = FlinkSection(rest=api.url, job_server=f"127.0.0.1:{port}", setup_file="/nowhere/setup.py")
        with pytest.raises(StageError, match=r"beam\.flink\.setup_file = '/nowhere/setup\.py': there is no such file"):
            Flink(section).options(JOB)


@pytest.mark.parametrize(
    ("stack", "why"),
    [
        (STACK, "/s/images/1.parquet is damaged (short); delete it"),
        ("java.lang.IllegalStateException: x\n\tat a.B\nCaused by: java.io.IOException: disk full\n", "disk full"),
        ("Traceback (most recent call last):\nModuleNotFoundError: No module named 'pipelines'\n", "No module named"),
        ("NoResourceAvailableException", "NoResourceAvailableException"),
        ("", "it does not say why"),
    ],
)
def test_the_cause_is_one_line(stack: str, why: str) -> None:
    assert why in cause(stack)
    assert "\n" not in cause(stack)
