"""What clusters have in common: Beam submits a pipeline to them as the job of a name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, override

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.jobs.remote import JobStatus, RemoteJob, Service
from pipelines.jobs.runners.stacks import cause


class Cluster(Service):
    """A service that runs Beam's jobs."""

    errors: tuple[type[Exception], ...] = (RuntimeError, grpc.RpcError)
    """What Beam raises when a job cannot be started there."""

    @abstractmethod
    def options(self, name: str) -> list[str]:
        """Return Beam's options for a job. Raises StageError when the cluster cannot be reached."""

    @abstractmethod
    def submitted(self, name: str, before: JobStatus | None, result: Any) -> str:
        """Return the id of the job that Beam has just submitted; `before` is the one that had its name until then.

        Raises one of `errors` when it does not come as far as the cluster.
        """

    @override
    def reason(self, error: Exception) -> str:
        return cause(str(error))


def run_on(cluster: Cluster, name: str, options: Sequence[str], build: Callable[[beam.Pipeline], Any]) -> None:
    """Run a pipeline as the job of a name, or wait for the one that runs already. Raises StageError when it fails."""

    def submit(before: JobStatus | None) -> str:
        every = [*cluster.options(name), f"--job_name={name}", *options]
        pipeline = beam.Pipeline(options=PipelineOptions(every))
        build(pipeline)
        return cluster.submitted(name, before, pipeline.run())

    RemoteJob(cluster, name).run(submit)
