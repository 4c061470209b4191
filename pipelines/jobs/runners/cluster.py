"""What clusters have in common: a job has a name, one of a name runs at a time, and it outlives who started it.

A launcher that was killed leaves its job running. The next attempt finds it by its name and waits for it: a job does
all its work through the store, so nothing but its end is needed from it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.errors import StageError
from pipelines.store import UnavailableError
from pipelines.telemetry import logs

_UNAVAILABLE = f"{UnavailableError.__module__}.{UnavailableError.__name__}"
_OURS = re.compile(r"^(?:\w+: )*(pipelines\.[\w.]+\.\w+): (.+?)(?: \[while running .*)?$", re.MULTILINE)
_RAISED = re.compile(r"^(?:Caused by: )?([A-Za-z_][\w.$]*(?:Error|Exception|Interrupt|Exit): .+)$", re.MULTILINE)


@dataclass(frozen=True)
class Attempt:
    """A job on a cluster; `failed` and `done` are both false while it has not ended."""

    job_id: str
    done: bool
    failed: bool

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will come of it."""
        return self.done or self.failed


class Cluster(ABC):
    """Where jobs run beside others, and after the process that started them is gone."""

    what: str
    """What it is and where, for messages."""
    errors: tuple[type[Exception], ...] = (RuntimeError, grpc.RpcError)
    """What Beam raises when a job cannot be started there."""

    @abstractmethod
    def options(self, name: str) -> list[str]:
        """Return Beam's options for a job. Raises StageError when the cluster cannot be reached."""

    @abstractmethod
    def newest(self, name: str) -> Attempt | None:
        """Return the newest job of a name, None when there is none. Raises StageError when it cannot be asked."""

    @abstractmethod
    def wait(self, job_id: str) -> Attempt:
        """Return when the job has ended. One that cannot succeed any more may be ended."""

    @abstractmethod
    def submitted(self, name: str, before: Attempt | None, result: Any) -> str:
        """Return the id of the job that Beam has just submitted; `before` is the one that had its name until then.

        Raises one of `errors` when it does not come as far as the cluster.
        """

    @abstractmethod
    def why(self, job_id: str) -> str:
        """Return what a failed job says of its failure: a stack of whatever language, the cause last."""

    @abstractmethod
    def page(self, job_id: str) -> str:
        """Return the address of a job's page."""

    @abstractmethod
    def cancel(self, job_id: str) -> None:
        """End a job; one that has ended stays as it is."""


def run_on(cluster: Cluster, name: str, options: Sequence[str], build: Callable[[beam.Pipeline], Any]) -> None:
    """Run a pipeline as the job of a name, or wait for the one that runs already. Raises StageError when it fails.

    Ctrl-C cancels the job.
    """
    before = cluster.newest(name)
    if _joined(cluster, name, before):
        return
    try:
        job_id = cluster.submitted(name, before, _submit(cluster, name, options, build))
    except KeyboardInterrupt:
        _cancel(cluster, name)
        raise
    except cluster.errors as error:
        mine = cluster.newest(name)
        if not is_new(mine, before):  # it never came as far as the cluster
            raise StageError(f"{name} could not be started on {cluster.what}: {cause(str(error))}") from error
        job_id = mine.job_id
    _wait(cluster, name, job_id)


def join(cluster: Cluster, name: str) -> bool:
    """Wait for the job of a name that runs already; return whether there was one. Raises StageError when it fails."""
    return _joined(cluster, name, cluster.newest(name))


def is_new(job: Attempt | None, before: Attempt | None) -> TypeGuard[Attempt]:
    """Tell whether there is a job, and it is not the one that was there before."""
    return job is not None and (before is None or job.job_id != before.job_id)


def is_final(stack: str) -> bool:
    """Tell whether a job failed by an error of our own that no other machine and no later attempt would be spared."""
    found = _OURS.findall(stack)
    return bool(found) and found[-1][0] != _UNAVAILABLE


def cause(stack: str) -> str:
    """Return the one line of a failed job's stack that says why: our own errors' message, else the last error."""
    found = [message for _, message in _OURS.findall(stack)] or _RAISED.findall(stack)
    if found:
        return str(found[-1])
    lines = [line.strip() for line in stack.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"


def _submit(cluster: Cluster, name: str, options: Sequence[str], build: Callable[[beam.Pipeline], Any]) -> Any:
    pipeline = beam.Pipeline(options=PipelineOptions([*cluster.options(name), f"--job_name={name}", *options]))
    build(pipeline)
    return pipeline.run()


def _joined(cluster: Cluster, name: str, job: Attempt | None) -> bool:
    if job is None or job.ended:
        return False
    logs.say(f"{name} runs on {cluster.what} already; waiting for it: {cluster.page(job.job_id)}")
    _wait(cluster, name, job.job_id)
    return True


def _wait(cluster: Cluster, name: str, job_id: str) -> None:
    """Wait for a job by the cluster's own word. Raises StageError when it failed."""
    try:
        ended = cluster.wait(job_id)
    except KeyboardInterrupt:
        _cancel(cluster, name)
        raise
    if ended.failed:
        raise StageError(f"{cause(cluster.why(job_id))} ({name} on {cluster.what}: {cluster.page(job_id)})")


def _cancel(cluster: Cluster, name: str) -> None:
    job = cluster.newest(name)
    if job is not None and not job.ended:
        logs.say(f"cancelling {name} on {cluster.what}")
        cluster.cancel(job.job_id)
