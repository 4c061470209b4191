"""Vertex AI's pipelineJobs on loopback: it takes and gives what Google's own message types do, and asks for a token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud.aiplatform_v1.types import PipelineJob, PipelineState, PipelineTaskDetail

from tests.servers import serving

TOKEN = "a-token-of-this-test"
JOBS = re.compile(r"/v1/(projects/[^/]+/locations/[^/]+/pipelineJobs)(?:/([^/]+))?")

State = PipelineState
Step = Callable[[PipelineJob], None]


@dataclass
class VertexService:
    """The jobs that were created, by id; `script` is what happens to a job, one step whenever it is asked for."""

    url: str = ""
    jobs: dict[str, PipelineJob] = field(default_factory=dict)
    script: list[Step] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    broken: list[tuple[str, int | str]] = field(default_factory=list)
    on_create: Callable[[PipelineJob], None] = lambda job: None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and JSON of one request."""
        address = urlsplit(path)
        found = JOBS.fullmatch(address.path)
        if not found:
            return _error(404, f"no such method: {path}")
        if method == "POST" and found[2]:
            return self._cancel(found[2].removesuffix(":cancel"))
        if method == "POST":
            return self._create(found[1], parse_qs(address.query)["pipelineJobId"][0], body)
        job = self.jobs.get(found[2])
        if job is None:
            return _error(404, f"The PipelineJob {found[1]}/{found[2]} does not exist.")
        if self.script:
            self.script.pop(0)(job)
        return 200, _as_json(job)

    def _create(self, parent: str, job_id: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if not re.fullmatch(r"[a-z][-a-z0-9]{0,126}", job_id):
            return _error(400, f"{job_id!r} is no id of a job")
        if job_id in self.jobs:
            return _error(409, f"{parent}/{job_id} already exists")
        job = PipelineJob.from_json(body.decode(), ignore_unknown_fields=False)
        job.name, job.state = f"{parent}/{job_id}", State.PIPELINE_STATE_PENDING
        self.jobs[job_id] = job
        self.created.append(job_id)
        self.on_create(job)
        return 200, _as_json(job)

    def _cancel(self, job_id: str) -> tuple[int, dict[str, Any]]:
        job = self.jobs[job_id]
        if job.state in {State.PIPELINE_STATE_SUCCEEDED, State.PIPELINE_STATE_FAILED, State.PIPELINE_STATE_CANCELLED}:
            return _error(400, f"{job.name} is in a terminal state")
        job.state = State.PIPELINE_STATE_CANCELLED
        self.cancelled.append(job_id)
        return 200, {}

    def breaks(self, method: str) -> int | str | None:
        """Return how the next request of a method fails: a status, 'lost' (done, not answered), or None."""
        if self.broken and self.broken[0][0] == method:
            return self.broken.pop(0)[1]
        return None


def turns(state: PipelineState, **message: Any) -> Step:
    """Return the step at which a job gets a state, and an `error` or `tasks` ({name: (state, its error's message)})."""

    def step(job: PipelineJob) -> None:
        job.state = state
        if "error" in message:
            job.error = {"code": 13, "message": message["error"]}
        for name, (task_state, said) in message.get("tasks", {}).items():
            detail = PipelineTaskDetail(task_name=name, state=task_state)
            if said:
                detail.error = {"code": 9, "message": said}
            job.job_detail.task_details.append(detail)

    return step


def _as_json(job: PipelineJob) -> dict[str, Any]:
    text = PipelineJob.to_json(job, use_integers_for_enums=False, including_default_value_fields=False)
    value: dict[str, Any] = json.loads(text)
    return value


def _error(code: int, message: str) -> tuple[int, dict[str, Any]]:
    return code, {"error": {"code": code, "message": message}}


@contextmanager
def vertex_service(folder: Path) -> Iterator[tuple[VertexService, Path]]:
    """Serve on a free loopback port; give the service, and a service account's key that it knows."""
    service = VertexService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do("GET", b"")

        def do_POST(self) -> None:
            self._do("POST", self.rfile.read(int(self.headers["Content-Length"])))

        def _do(self, method: str, body: bytes) -> None:
            if self.path == "/token":
                self._send(200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
                return
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._send(*_error(401, "Request had invalid authentication credentials."))
                return
            broken = service.breaks(method)
            if isinstance(broken, int):
                self._send(*_error(broken, "the backend had a bad day"))
                return
            status, value = service.answer(method, self.path, body)
            if broken == "lost":
                self.connection.close()
                return
            self._send(status, value)

        def _send(self, status: int, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as service.url:
        yield service, _key(folder, service.url)


def _key(folder: Path, url: str) -> Path:
    """Write a service account's key whose tokens are given out at `url`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    email = "launcher@p-1.iam.gserviceaccount.com"
    path = folder / "key.json"
    fields = {"type": "service_account", "project_id": "p-1", "private_key_id": "1", "client_email": email}
    path.write_text(json.dumps({**fields, "private_key": pem, "token_uri": f"{url}/token"}))
    return path
