"""Dataflow: Beam submits jobs, which are then found, watched and cancelled by the Dataflow API.

Sources: https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.locations.jobs (states, messages) and
https://cloud.google.com/dataflow/docs/guides/right-fitting (resource hints).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, override

import requests
from apache_beam.internal.gcp.auth import get_service_credentials
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.utils.retry import PermanentException
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadGateway, GatewayTimeout, GoogleAPIError
from google.api_core.retry import if_exception_type, if_transient_error
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import dataflow

from pipelines.config import DataflowSection
from pipelines.errors import StageError
from pipelines.jobs.remote import JobStatus
from pipelines.jobs.runners.cluster import Cluster
from pipelines.jobs.runners.stacks import cause
from pipelines.store.retries import polled, retried

State = dataflow.JobState
DONE = (State.JOB_STATE_DONE,)
FAILED = (State.JOB_STATE_FAILED, State.JOB_STATE_CANCELLED, State.JOB_STATE_DRAINED, State.JOB_STATE_UPDATED)
POLL_S = 10.0
TIMEOUT_S = 60.0
GONE_S = 600.0
"""How long the API may be silent or say that it cannot answer now."""
MESSAGE_S = 60.0
"""How long after its end a failed job's messages are waited for; they come later than the state."""

_gateway = if_exception_type(BadGateway, GatewayTimeout)


class Dataflow(Cluster):
    """The Dataflow service in one region of a project; `extra` are options that Beam is given besides."""

    errors = (*Cluster.errors, OSError, GoogleAPIError, GoogleAuthError, PermanentException)

    def __init__(self, section: DataflowSection, extra: Sequence[str], labels: Mapping[str, str], on_gpu: bool) -> None:
        self.section, self.labels = section, {**section.labels, **labels}
        self.image = (section.gpu_image if on_gpu else None) or section.image
        self.what = f"Dataflow ({section.project}, {section.region})"
        self.poll_s = POLL_S
        self._extra = extra
        self._where = {"project_id": section.project, "location": section.region}

    @override
    def options(self, name: str) -> list[str]:
        section = self.section
        folder = (section.temp_location or "").rstrip("/")
        options = [
            "--runner=DataflowRunner",
            f"--project={section.project}",
            f"--region={section.region}",
            f"--temp_location={folder}/temp",
            f"--staging_location={folder}/staging",
            f"--sdk_container_image={self.image}",
            "--sdk_location=container",
            "--experiments=disable_logging_submission_environment",  # workers need no list of its packages
            f"--machine_type={section.machine_type}",
            f"--disk_size_gb={section.disk_gb}",
            f"--max_num_workers={section.max_workers}",
            "--use_public_ips" if section.public_ips else "--no_use_public_ips",
        ]
        if section.processes == "one":
            options.append("--experiments=no_use_multiple_sdk_containers")
        named = {
            "worker_zone": section.zone,
            "service_account_email": section.service_account,
            "network": section.network,
            "subnetwork": section.subnetwork,
        }
        options += [f"--{key}={value}" for key, value in named.items() if value is not None]
        return options + [f"--labels={key}={value}" for key, value in sorted(self.labels.items())]

    @override
    def newest(self, name: str) -> JobStatus | None:
        request = dataflow.ListJobsRequest(name=name, filter=dataflow.ListJobsRequest.Filter.ALL, **self._where)
        jobs = [job for job in self._ask(self._list, request) if job.name == name]
        return _status(max(jobs, key=lambda job: job.create_time)) if jobs else None

    @override
    def submitted(self, name: str, before: JobStatus | None, result: Any) -> str:
        return str(result.job_id())

    @override
    def look(self, job_id: str) -> JobStatus:
        return _status(self._get(job_id))

    @override
    def why(self, job_id: str) -> str:
        if self._get(job_id).current_state == State.JOB_STATE_CANCELLED:
            return "it was cancelled"
        importance = dataflow.JobMessageImportance.JOB_MESSAGE_ERROR
        request = dataflow.ListJobMessagesRequest(job_id=job_id, minimum_importance=importance, **self._where)
        messages = polled(lambda: self._ask(self._list_messages, request) or None, POLL_S, MESSAGE_S) or []
        told = sorted(messages, key=lambda message: message.time)
        return cause("\n".join(message.message_text for message in told))

    @override
    def page(self, job_id: str) -> str:
        where = f"{self.section.region}/{job_id}?project={self.section.project}"
        return f"https://console.cloud.google.com/dataflow/jobs/{where}"

    @override
    def cancel(self, job_id: str) -> None:
        job = dataflow.Job(requested_state=State.JOB_STATE_CANCELLED)
        request = dataflow.UpdateJobRequest(job_id=job_id, job=job, **self._where)
        self._ask(self._jobs.update_job, request)

    def _get(self, job_id: str) -> dataflow.Job:
        return self._ask(self._jobs.get_job, dataflow.GetJobRequest(job_id=job_id, **self._where))

    def _list(self, request: dataflow.ListJobsRequest, **how: Any) -> list[dataflow.Job]:
        return list(self._jobs.list_jobs(request, **how))

    def _list_messages(self, request: dataflow.ListJobMessagesRequest, **how: Any) -> list[dataflow.JobMessage]:
        return list(self._messages.list_job_messages(request, **how))

    def _ask(self, method: Callable[..., Any], request: Any) -> Any:
        """Call the API; what passes is tried again for GONE_S. Raises StageError."""

        def call() -> Any:
            return method(request, retry=None, timeout=TIMEOUT_S)

        try:
            return retried(call, _passes, within_s=GONE_S, longest_pause_s=POLL_S)
        except (GoogleAPIError, GoogleAuthError, requests.RequestException) as error:
            raise StageError(
                f"{self.what} cannot be asked: {error}; check beam.dataflow.project and .region, and that this account "
                "may run jobs there (roles/dataflow.developer)"
            ) from error

    @cached_property
    def _jobs(self) -> dataflow.JobsV1Beta3Client:
        return dataflow.JobsV1Beta3Client(**self._client)

    @cached_property
    def _messages(self) -> dataflow.MessagesV1Beta3Client:
        return dataflow.MessagesV1Beta3Client(**self._client)

    @cached_property
    def _client(self) -> dict[str, Any]:
        """What a client is made with: the endpoint and the credentials that Beam takes to submit jobs."""
        options = PipelineOptions(self._extra).view_as(GoogleCloudOptions)
        credentials = AnonymousCredentials() if options.no_auth else get_service_credentials(options)
        if credentials is None:
            raise StageError(
                f"{self.what} needs credentials of Google Cloud, and there are none; run "
                "`gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"
            )
        endpoint = ClientOptions(api_endpoint=options.dataflow_endpoint.rstrip("/"))
        return {"credentials": credentials, "client_options": endpoint, "transport": "rest"}


def _passes(error: Exception) -> bool:
    return if_transient_error(error) or _gateway(error)


def _status(job: dataflow.Job) -> JobStatus:
    state = job.current_state
    return JobStatus(job.id, state.name.removeprefix("JOB_STATE_"), state in DONE, state in FAILED)
