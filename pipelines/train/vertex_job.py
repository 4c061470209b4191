"""One training as a PipelineJob of Vertex AI: its name, where its files are, and the service's REST interface.

An attempt has a number and a job's id has it too, so that who starts the same training again attaches to the job that
is there; a second one begins only after the first has failed or was cancelled.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import google.auth
from google.api_core.exceptions import (
    Conflict,
    Forbidden,
    GoogleAPICallError,
    NotFound,
    RetryError,
    Unauthorized,
    from_http_response,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from requests.exceptions import RequestException

from pipelines.config import VertexSection
from pipelines.errors import StageError

VERTEX_JSON: Final = "vertex.json"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
TRIED_FOR_S: Final = 120.0
CALL_S: Final = 60.0
POLL_S: Final = 30.0
ENDED_BADLY: Final = ("FAILED", "CANCELLED")
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

    def console(self, job_id: str) -> str:
        """Return the address of a job's page."""
        section = self.section
        return (
            f"https://console.cloud.google.com/vertex-ai/locations/{section.region}/pipelines/runs/{job_id}"
            f"?project={section.project}"
        )

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps({"section": self.section.model_dump(), "name": self.name}), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> VertexJob:
        """Read what `save` wrote."""
        value = json.loads(path.read_text(encoding="utf-8"))
        return cls(VertexSection.model_validate(value["section"]), value["name"])


class VertexJobs:
    """The PipelineJobs of one project and region; the credentials are those of the environment."""

    def __init__(self, section: VertexSection, tried_for_s: float = TRIED_FOR_S) -> None:
        host = section.endpoint or f"https://{section.region}-aiplatform.googleapis.com"
        self.parent = f"projects/{section.project}/locations/{section.region}"
        self.url = f"{host.rstrip('/')}/v1/{self.parent}/pipelineJobs"
        self.retry = Retry(if_exception_type(_PassesError), initial=1.0, maximum=10.0, timeout=tried_for_s)

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
            answer: Job = self.retry(self._send)(method, url, body)
        except none_for:
            return None
        except RetryError as error:
            raise StageError(f"Vertex AI cannot be asked ({url}): {error.cause}; run again") from error
        except (GoogleAPICallError, GoogleAuthError, RequestException) as error:
            raise StageError(f"Vertex AI cannot be asked ({url}): {_advice(error)}") from error
        return answer

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


def _advice(error: Exception) -> str:
    if isinstance(error, GoogleAuthError | Unauthorized):
        return f"{error}; log in with `gcloud auth application-default login`, or give the launcher a service account"
    if isinstance(error, Forbidden):
        return (
            f"{error}; give this account roles/aiplatform.user on the project, and roles/iam.serviceAccountUser on "
            "train.vertex.service_account"
        )
    return str(error)


def newest_attempt(jobs: VertexJobs, job: VertexJob, say: Callable[[str], None]) -> tuple[int, Job | None]:
    """Return the number of the attempt to wait for and its job, or None when it is still to be started."""
    number = 1
    while (found := jobs.get(job.attempt(number))) is not None and state_of(found) in ENDED_BADLY:
        say(f"attempt {number} {state_of(found).lower()} ({job.console(job.attempt(number))})")
        number += 1
    return number, found


def wait_for(jobs: VertexJobs, job: VertexJob, number: int, say: Callable[[str], None]) -> Job:
    """Return the job when it has succeeded; `say` hears of its steps. Raises StageError when it failed."""
    job_id, told = job.attempt(number), ""
    say(f"Vertex AI runs it as {job_id}: {job.console(job_id)}")
    while True:
        found = jobs.get(job_id)
        if found is None:
            raise StageError(f"Vertex AI has no job {job_id} any more; who deleted it? Run again to start another")
        news = _news(found)
        if news != told:
            say(news)
            told = news
        if state_of(found) == "SUCCEEDED":
            return found
        if state_of(found) in ENDED_BADLY:
            raise StageError(f"{_failure(found)}; see {job.console(job_id)}, and run again for another attempt")
        time.sleep(POLL_S)


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


def _news(job: Job) -> str:
    steps = [f"{task['taskName']} {str(task.get('state', 'PENDING')).lower()}" for task in tasks_of(job)]
    return ", ".join([f"Vertex AI: {state_of(job).lower()}", *steps])


def _failure(job: Job) -> str:
    failed = [task for task in tasks_of(job) if task.get("state") in ("FAILED", "CANCELLED") and task.get("error")]
    said = job.get("error", {}).get("message", "")
    if state_of(job) == "CANCELLED":
        return "the training was cancelled in Vertex AI"
    if failed:
        return f"training failed in {failed[0]['taskName']}: {failed[0]['error'].get('message') or said}"
    return f"training failed: {said or 'Vertex AI gives no reason'}"
