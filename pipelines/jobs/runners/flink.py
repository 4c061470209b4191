"""Flink: jobs are submitted to Beam's job server and watched by Flink's REST API.

Flink tries a failed step again, whatever it failed of. That is right when a machine was lost, or the store was away; a
job that fails by another error of our own is ended instead of failing the same way five times more.

Source: Flink's REST API, https://nightlies.apache.org/flink/flink-docs-release-1.19/docs/ops/rest_api/
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any, override

import requests
from apache_beam.runners.runner import PipelineState

from pipelines.config import FlinkSection
from pipelines.errors import StageError
from pipelines.jobs.runners.cluster import Attempt, Cluster, is_final, is_new
from pipelines.jobs.runners.package import package

DONE = "FINISHED"
CANCELLED = "CANCELED"
FAILED = ("FAILED", CANCELLED)
RESTARTING = "RESTARTING"
POLL_S = 0.5
TIMEOUT_S = 10.0
GONE_S = 60.0
"""How long a JobManager may be silent while a job is waited for: it may be started again meanwhile."""
CACHE_MS = 3000
"""How long a worker outlives its bundle, so that the next step of the job finds it; shorter than a restart's delay."""


class Flink(Cluster):
    """A Flink cluster and the Beam job server beside it."""

    def __init__(self, section: FlinkSection) -> None:
        self.section = section
        self.what = f"Flink ({section.rest})"

    @override
    def options(self, name: str) -> list[str]:
        section = self.section
        self._check_job_server()
        options = [
            "--runner=PortableRunner",
            f"--job_endpoint={section.job_server}",
            "--environment_type=PROCESS",
            f"--environment_config={json.dumps({'command': section.worker_program})}",
            f"--environment_cache_millis={CACHE_MS}",
            f"--sdk_worker_parallelism={section.worker_processes}",
        ]
        if section.parallelism is not None:
            options.append(f"--parallelism={section.parallelism}")
        if section.setup_file is not None:
            options.append(f"--extra_package={package(section.setup_file)}")
        return options

    @override
    def newest(self, name: str) -> Attempt | None:
        jobs = [job for job in self._get("jobs/overview")["jobs"] if job["name"] == name]
        if not jobs:
            return None
        job = max(jobs, key=lambda job: job["start-time"])
        return _attempt(job["jid"], job["state"])

    @override
    def submitted(self, name: str, before: Attempt | None, result: Any) -> str:
        ended = False
        try:
            while not ended:
                ended = PipelineState.is_terminal(result.state)  # asked first: Flink knows a job before it ends
                job = self.newest(name)
                if is_new(job, before):
                    return job.job_id
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            result.cancel()
            raise
        result.wait_until_finish()  # raises what the job server says of it
        raise StageError(
            f"{name} has ended, and Flink knows no such job; beam.flink.rest = {self.section.rest!r} and "
            f"beam.flink.job_server = {self.section.job_server!r} must be of one cluster"
        )

    @override
    def wait(self, job_id: str) -> Attempt:
        while True:
            state = self._get(f"jobs/{job_id}", GONE_S)["state"]
            attempt = _attempt(job_id, state)
            if attempt.ended:
                return attempt
            if state == RESTARTING and is_final(self.why(job_id)):
                self.cancel(job_id)
            time.sleep(POLL_S)

    @override
    def why(self, job_id: str) -> str:
        history = self._get(f"jobs/{job_id}/exceptions", GONE_S).get("exceptionHistory", {}).get("entries", [])
        stack = str(history[0]["stacktrace"]) if history else ""
        if is_final(stack) or self._get(f"jobs/{job_id}", GONE_S)["state"] != CANCELLED:
            return stack
        return "it was cancelled"

    @override
    def page(self, job_id: str) -> str:
        return f"{self.section.rest}/#/job/running/{job_id}"

    @override
    def cancel(self, job_id: str) -> None:
        try:
            requests.patch(f"{self.section.rest}/jobs/{job_id}", params={"mode": "cancel"}, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            raise StageError(f"a job could not be cancelled ({error}); cancel it there: {self.page(job_id)}") from error

    def _check_job_server(self) -> None:
        """Raise StageError when nothing listens: Beam's client would wait for ever."""
        host, _, port = self.section.job_server.rpartition(":")
        try:
            socket.create_connection((host, int(port)), TIMEOUT_S).close()
        except OSError as error:
            raise StageError(
                f"beam.flink.job_server = {self.section.job_server!r}: no job server answers there ({error}); start it "
                "(on this machine: `make flink`), or set its address"
            ) from error

    def _get(self, path: str, patience_s: float = 0.0) -> Any:
        """Return what Flink answers, within some time if need be. Raises StageError."""
        until = time.monotonic() + patience_s
        while True:
            try:
                answer = requests.get(f"{self.section.rest}/{path}", timeout=TIMEOUT_S)
                answer.raise_for_status()
                return answer.json()
            except (requests.RequestException, ValueError) as error:
                if time.monotonic() >= until:
                    raise StageError(
                        f"beam.flink.rest = {self.section.rest!r}: no Flink answers there ({error}); start it "
                        "(`make flink`) or set its address"
                    ) from error
            time.sleep(POLL_S)


def _attempt(job_id: str, state: str) -> Attempt:
    return Attempt(job_id, state == DONE, state in FAILED)
