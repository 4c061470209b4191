"""One training as a PipelineJob of Vertex AI: its name, where its files are, and the service's REST interface.

Attempts of a training are numbered, and the number ends the job's id: of two who begin the same attempt, one creates
the job, and both wait for it.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, override

import google.auth
from google.api_core.exceptions import (
    BadRequest,
    Conflict,
    Forbidden,
    GoogleAPICallError,
    NotFound,
    Unauthorized,
    from_http_response,
)
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from requests.exceptions import RequestException

from pipelines.config import VertexSection
from pipelines.errors import StageError
from pipelines.jobs.remote import JobStatus, Service
from pipelines.store.retries import retried

VERTEX_JSON: Final = "vertex.json"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
TRIED_FOR_S: Final = 120.0
CALL_S: Final = 60.0
POLL_S: Final = 30.0
DONE: Final = "SUCCEEDED"
CANCELLED: Final = "CANCELLED"
FAILED: Final = ("FAILED", CANCELLED)
PASSES: Final = (408, 429, 500, 502, 503, 504)

Job = dict[str, Any]


class _PassesError(Exception):
    """An answer that may be another one the next time."""


@dataclass(frozen=True)
class VertexJob:
    """Which training, and where: `name` is that of all its attempts, `folder` the `gs://` URI of its files."""

    section: VertexSection
    name: str

    @classmethod
    def of(cls, section: VertexSection, store_uri: str, run_id: str, key: str) -> VertexJob:
        """Return the job of a run's training: equal arguments give one name, and others another."""
        digest = hashlib.sha256(json.dumps([store_uri, run_id, key]).encode()).hexdigest()[:16]
        readable = re.sub(r"[^a-z0-9]+", "-", run_id.lower()).strip("-")[:60].rstrip("-")
        return cls(section, f"train-{readable}-{digest}")

    @property
    def folder(self) -> str:
        """The folder of what its attempts share."""
        return f"{self.section.pipeline_root.rstrip('/')}/{self.name}"

    def attempt(self, number: int) -> str:
        """Return the id of an attempt's PipelineJob."""
        return f"{self.name}-{number}"

    @staticmethod
    def number(job_id: str) -> int:
        """Return which attempt a PipelineJob is."""
        return int(job_id.rpartition("-")[2])

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps({"section": self.section.model_dump(), "name": self.name}), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> VertexJob:
        """Read what `save` wrote."""
        value = json.loads(path.read_text(encoding="utf-8"))
        return cls(VertexSection.model_validate(value["section"]), value["name"])


class Vertex(Service):
    """The PipelineJobs of one project and region; the credentials are those of the environment."""

    def __init__(self, section: VertexSection, tried_for_s: float = TRIED_FOR_S) -> None:
        host = section.endpoint or f"https://{section.region}-aiplatform.googleapis.com"
        self.parent = f"projects/{section.project}/locations/{section.region}"
        self.url = f"{host.rstrip('/')}/v1/{self.parent}/pipelineJobs"
        self.what = f"Vertex AI ({section.project}, {section.region})"
        self.poll_s = POLL_S
        self._section, self._tried_for_s = section, tried_for_s

    @override
    def newest(self, name: str) -> JobStatus | None:
        found, number = None, 1
        while (job := self.get(f"{name}-{number}")) is not None:
            found, number = _status(f"{name}-{number}", job), number + 1
        return found

    @override
    def look(self, job_id: str) -> JobStatus:
        return _status(job_id, self.found(job_id))

    @override
    def why(self, job_id: str) -> str:
        return _failure(self.found(job_id))

    @override
    def page(self, job_id: str) -> str:
        where = f"{self._section.region}/pipelines/runs/{job_id}?project={self._section.project}"
        return f"https://console.cloud.google.com/vertex-ai/locations/{where}"

    @override
    def cancel(self, job_id: str) -> None:
        if self._ask("POST", f"{self.url}/{job_id}:cancel", {}, none_for=BadRequest) is None:
            status = self.look(job_id)
            if not status.ended:
                raise StageError(f"{job_id} could not be cancelled; cancel it there: {self.page(job_id)}")

    def found(self, job_id: str) -> Job:
        """Return a job that was there. Raises StageError when it is there no more."""
        job = self.get(job_id)
        if job is None:
            raise StageError(f"Vertex AI has no job {job_id} any more; who deleted it? Run again to start another")
        return job

    def get(self, job_id: str) -> Job | None:
        """Return a job, or None when there is none of that id. Raises StageError."""
        return self._ask("GET", f"{self.url}/{job_id}", none_for=NotFound)

    def create(self, job_id: str, body: Job) -> Job:
        """Create a job, or return the one that has this id already. Raises StageError."""
        created = self._ask("POST", f"{self.url}?pipelineJobId={job_id}", body, none_for=Conflict)
        job = created or self.get(job_id)  # that of another process, or our own, whose answer was lost
        if job is None:
            raise StageError(f"Vertex AI has no job {job_id}, but says that its id is taken; run again")
        return job

    def _ask(self, method: str, url: str, body: Job | None = None, *, none_for: type[GoogleAPICallError]) -> Job | None:
        try:
            return retried(lambda: self._send(method, url, body), _passes, within_s=self._tried_for_s)
        except none_for:
            return None
        except _PassesError as error:
            raise StageError(f"Vertex AI cannot be asked ({url}): {error}; run again") from error
        except (GoogleAPICallError, GoogleAuthError, RequestException) as error:
            raise StageError(f"Vertex AI cannot be asked ({url}): {_advice(error)}") from error

    def _send(self, method: str, url: str, body: Job | None) -> Job:
        try:
            response = self._session.request(method, url, json=body, timeout=CALL_S)
        except (RequestException, TransportError) as error:
            raise _PassesError(str(error)) from error
        if response.status_code in PASSES:
            raise _PassesError(str(from_http_response(response)))
        if not response.ok:
            raise from_http_response(response)
        answer: Job = response.json()
        return answer

    @cached_property
    def _session(self) -> AuthorizedSession:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        return AuthorizedSession(credentials)


def _passes(error: Exception) -> bool:
    return isinstance(error, _PassesError)


def _advice(error: Exception) -> str:
    if isinstance(error, GoogleAuthError | Unauthorized):
        return f"{error}; log in with `gcloud auth application-default login`, or give the launcher a service account"
    if isinstance(error, Forbidden):
        return (
            f"{error}; give this account roles/aiplatform.user on the project, and roles/iam.serviceAccountUser on "
            "train.vertex.service_account"
        )
    return str(error)


def state_of(job: Job) -> str:
    """Return a job's state, such as RUNNING."""
    return str(job.get("state", "PENDING")).removeprefix("PIPELINE_STATE_")


def tasks_of(job: Job) -> list[Job]:
    """Return what the service says of the job's steps, of those that have begun."""
    found: list[Job] = job.get("jobDetail", {}).get("taskDetails", [])
    return found


def output_uri(job: Job, task: str, output: str) -> str:
    """Return where a step's output is. Raises StageError when the service does not say."""
    for detail in tasks_of(job):
        if detail.get("taskName") == task:
            for artifact in detail.get("outputs", {}).get(output, {}).get("artifacts", []):
                return str(artifact["uri"])
    raise StageError(f"Vertex AI's job {job.get('name')} names no output {output!r} of {task}; this is a defect")


def _status(job_id: str, job: Job) -> JobStatus:
    state = state_of(job)
    return JobStatus(job_id, state, state == DONE, state in FAILED, _news(job))


def _news(job: Job) -> str:
    steps = [f"{task['taskName']} {str(task.get('state', 'PENDING')).lower()}" for task in tasks_of(job)]
    return ", ".join([f"Vertex AI: {state_of(job).lower()}", *steps])


def _failure(job: Job) -> str:
    failed = [task for task in tasks_of(job) if task.get("state") in ("FAILED", "CANCELLED") and task.get("error")]
    said = job.get("error", {}).get("message", "")
    if state_of(job) == CANCELLED:
        return "the training was cancelled in Vertex AI"
    if failed:
        return f"training failed in {failed[0]['taskName']}: {failed[0]['error'].get('message') or said}"
    return f"training failed: {said or 'Vertex AI gives no reason'}"
