"""SIGTERM: an orderly end, that of Ctrl-C or one that leaves what runs on a cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.jobs.remote import JobStatus, RemoteJob, Service
from pipelines.runs import termination
from pipelines.runs.commands import typed
from tests.catalogue.shop import plain_shop
from tests.cli.killing import ROOT, finish, names


class OneJob(Service):
    """A cluster on which a job runs; SIGTERM comes while it is waited for."""

    what = "a cluster"
    poll_s = 0.01

    def __init__(self) -> None:
        self.cancelled = list[str]()

    def newest(self, name: str) -> JobStatus:
        return JobStatus(name, "RUNNING", done=False, failed=False)

    def look(self, job_id: str) -> JobStatus:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        raise AssertionError(f"SIGTERM was not heard while {job_id} was waited for")

    def why(self, job_id: str) -> str:
        return job_id

    def page(self, job_id: str) -> str:
        return job_id

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)


def never(_: JobStatus | None) -> str:
    raise AssertionError("it was started though it runs")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_it_cancels_the_job_that_is_waited_for_as_ctrl_c_does() -> None:
    cluster = OneJob()
    termination.listen("cancel")
    with pytest.raises(KeyboardInterrupt, match="ended by SIGTERM; what was committed stays done"):
        RemoteJob(cluster, "vs-r-embed-units").run(never)
    assert cluster.cancelled == ["vs-r-embed-units"]


def test_it_leaves_the_job_to_the_attempt_that_follows() -> None:
    cluster = OneJob()
    termination.listen("leave")
    with pytest.raises(termination.LeavingError, match="jobs on a cluster go on, and the next attempt attaches"):
        RemoteJob(cluster, "vs-r-embed-units").run(never)
    assert cluster.cancelled == []


def test_a_second_one_does_not_interrupt_the_end() -> None:
    termination.listen("cancel")
    with pytest.raises(termination.TerminatedError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.05)


def test_a_stage_ends_soon_gives_its_lease_back_and_goes_on_when_it_is_run_again(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 60)
    shop.write_config(preprocess={"photos_a_unit": 1})
    shop.run("r", "catalogue")
    command = [sys.executable, "-m", "pipelines.cli", "preprocess"]
    command += ["--config", str(shop.config), "--run-id", "r"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not names(shop, "sources/*.keys.parquet"):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert process.returncode == 143
    ended, again = said.splitlines()[-2:]
    assert ended.startswith("visual-search: ended by SIGTERM; what was committed stays done")  # Beam adds its step
    assert again == f"To go on: {typed('preprocess', str(shop.config), '--run-id', 'r')}"
    assert not names(shop, "runs/r/preprocess/lease.json", "runs/r/preprocess/manifest.json")
    done = len(names(shop, "sources/*.keys.parquet"))
    assert f"preprocess: {done} of " in finish(shop, "preprocess")
