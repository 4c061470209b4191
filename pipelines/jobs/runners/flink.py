"""Flink: jobs are submitted to Beam's job server and watched by Flink's REST API.

Flink tries a failed step again, whatever it failed of. That is right when a machine was lost, or the store was away; a
job that fails by another error of our own is ended instead of failing the same way five times more.

Source: Flink's REST API, https://nightlies.apache.org/flink/flink-docs-release-1.19/docs/ops/rest_api/
"""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import Any, override

import requests
from apache_beam.runners.runner import PipelineState

from pipelines.config import FlinkSection
from pipelines.errors import StageError
from pipelines.jobs.remote import JobStatus, is_new
from pipelines.jobs.runners.cluster import Cluster
from pipelines.jobs.runners.package import package
from pipelines.jobs.runners.stacks import cause, is_final
from pipelines.store.retries import polled, retried

DONE = "FINISHED"
CANCELLED = "CANCELED"
FAILED = ("FAILED", CANCELLED)
RESTARTING = "RESTARTING"
POLL_S = 0.5
TIMEOUT_S = 10.0
GONE_S = 60.0
"""How long a JobManager may be silent while a job is waited for: it may be started again meanwhile."""
NO_ANSWER = (requests.RequestException, ValueError)
CACHE_MS = 3000
"""How long a worker outlives its bundle, so that the next step of the job finds it; shorter than a restart's delay."""


class Flink(Cluster):
    """A Flink cluster and the Beam job server beside it."""

    def __init__(self, section: FlinkSection) -> None:
        self.section = section
        self.what = f"Flink ({section.rest})"
        self.poll_s = POLL_S

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
    def newest(self, name: str) -> JobStatus | None:
        jobs = [job for job in self._get("jobs/overview")["jobs"] if job["name"] == name]
        if not jobs:
            return None
        job = max(jobs, key=lambda job: job["start-time"])
        return _status(job["jid"], job["state"])

    @override
    def submitted(self, name: str, before: JobStatus | None, result: Any) -> str:
        def job_id() -> str | None:
            """Return the job's id once Flink knows it, and "" when it has ended and Flink does not."""
            ended = PipelineState.is_terminal(result.state)  # asked first: Flink knows a job before it ends
            job = self.newest(name)
            if is_new(job, before):
                return job.job_id
            return "" if ended else None

        try:
            found = polled(job_id, POLL_S)
        except KeyboardInterrupt:
            result.cancel()
            raise
        if found:
            return found
        result.wait_until_finish()  # raises what the job server says of it
        raise StageError(
            f"{name} has ended, and Flink knows no such job; beam.flink.rest = {self.section.rest!r} and "
            f"beam.flink.job_server = {self.section.job_server!r} must be of one cluster"
        )

    @override
    def look(self, job_id: str) -> JobStatus:
        state = self._state(job_id)
        hopeless = state == RESTARTING and is_final(self._stack(job_id))
        return replace(_status(job_id, state), hopeless=hopeless)

    @override
    def why(self, job_id: str) -> str:
        stack = self._stack(job_id)
        if is_final(stack) or self._state(job_id) != CANCELLED:
            return cause(stack)
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

    def _state(self, job_id: str) -> str:
        return str(self._get(f"jobs/{job_id}", GONE_S)["state"])

    def _stack(self, job_id: str) -> str:
        """Return what the job has failed of last, nothing when it has not."""
        history = self._get(f"jobs/{job_id}/exceptions", GONE_S).get("exceptionHistory", {}).get("entries", [])
        return str(history[0]["stacktrace"]) if history else ""

    def _get(self, path: str, patience_s: float = 0.0) -> Any:
        """Return what Flink answers, within some time if need be. Raises StageError."""

        def ask() -> Any:
            answer = requests.get(f"{self.section.rest}/{path}", timeout=TIMEOUT_S)
            answer.raise_for_status()
            return answer.json()

        try:
            return retried(ask, lambda error: isinstance(error, NO_ANSWER), within_s=patience_s, pause_s=POLL_S)
        except NO_ANSWER as error:
            raise StageError(
                f"beam.flink.rest = {self.section.rest!r}: no Flink answers there ({error}); start it (`make flink`) "
                "or set its address"
            ) from error


def _status(job_id: str, state: str) -> JobStatus:
    return JobStatus(job_id, state, state == DONE, state in FAILED)
