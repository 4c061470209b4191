"""The Dataflow API v1b3 on loopback, and as much of Cloud Storage as Beam needs to stage a pipeline there.

No job does anything: a test says how it goes. As the service does, it gives a launcher that asks for a second active
job of one name the first.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c
from google.cloud.dataflow import JobMessageImportance, JobState

from tests.servers import serving

PROJECT, REGION = "some-project", "europe-west4"
JOBS = re.compile(rf"/v1b3/projects/{PROJECT}/locations/{REGION}/jobs(?:/(?P<job>[^/]+)(?P<messages>/messages)?)?")
OBJECT = re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)(?:/o/(?P<name>.+))?")
ENDED = ("JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")
LIMIT_S = 300.0
PAGE = 2
"""Jobs a page: few, so that lists have several."""


@dataclass
class Api:
    """What the service knows: its jobs by id, in the order of their creation, and what was staged."""

    url: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    staged: dict[str, bytes] = field(default_factory=dict)
    broken: int = 0
    on_create: Callable[[str], None] = lambda _: None
    """Called with the id of a job whenever one is asked for."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def options(self) -> list[str]:
        """Beam's options that lead here. The word `localhost` has Beam speak HTTP, as this service does."""
        return [f"--dataflow_endpoint={self.url}", "--no_auth"]

    def create(self, job: dict[str, Any]) -> dict[str, Any]:
        """Add a job, or return the active one of its name."""
        with self.lock:
            active = (other["id"] for other in self.jobs.values() if other["currentState"] not in ENDED)
            same = [other for other in active if self.jobs[other]["name"] == job["name"]]
            job_id = same[0] if same else f"{datetime.now(UTC):%Y-%m-%d_%H_%M_%S}-{len(self.jobs)}"
            if not same:
                created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
                self.jobs[job_id] = {**job, "id": job_id, "currentState": "JOB_STATE_PENDING", "createTime": created}
        self.on_create(job_id)
        return self.jobs[job_id]

    def go(self, job_id: str, state: str, *messages: str) -> None:
        """Bring a job into a state, with errors that its workers reported."""
        with self.lock:
            times = (datetime.now(UTC).isoformat().replace("+00:00", "Z") for _ in messages)
            told = [
                {"id": str(n), "time": at, "messageText": text, "messageImportance": "JOB_MESSAGE_ERROR"}
                for n, (at, text) in enumerate(zip(times, messages, strict=True))
            ]
            self.messages.setdefault(job_id, []).extend(told)
            self.jobs[job_id]["currentState"] = f"JOB_STATE_{state}"

    def wait_for_job(self, number: int = 0, state: str = "", limit_s: float = LIMIT_S) -> str:
        """Return the id of the n-th job once there is one, in a state if one is named."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            ids = list(self.jobs)
            if len(ids) > number and self.jobs[ids[number]]["currentState"].endswith(state):
                return ids[number]
            time.sleep(0.02)
        raise AssertionError(f"no job {number} in state {state!r} after {limit_s} s: {self.jobs}")

    def pipeline_of(self, job_id: str) -> bytes:
        """Return the pipeline proto that a job's request refers to."""
        url = self.jobs[job_id]["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
        return self.staged[url.removeprefix("gs://")]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: Api

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if found := JOBS.fullmatch(url.path):
            self._answer_of_jobs(found, {name: values[0] for name, values in parse_qs(url.query).items()})
        elif (found := OBJECT.fullmatch(url.path)) and found["name"] is None:
            self._answer({"kind": "storage#bucket", "id": found["bucket"], "name": found["bucket"]})
        else:
            self._answer({"error": {"code": 404, "message": "Not Found"}}, 404)

    def do_POST(self) -> None:
        url, body = urlsplit(self.path), self._body()
        if JOBS.fullmatch(url.path):
            self._answer(self.api.create(json.loads(body)))
        else:  # the beginning of a resumable upload
            bucket = url.path.split("/b/")[1].split("/")[0]
            name = json.loads(body or b"{}").get("name") or parse_qs(url.query)["name"][0]
            self._answer({}, headers={"Location": f"{self.api.url}/uploads/{bucket}/{name}"})

    def do_PUT(self) -> None:
        url, body = urlsplit(self.path), self._body()
        if found := JOBS.fullmatch(url.path):
            self.api.go(found["job"], JobState(json.loads(body)["requestedState"]).name.removeprefix("JOB_STATE_"))
            self._answer(self.api.jobs[found["job"]])
        else:
            name = unquote(url.path.removeprefix("/uploads/"))
            self.api.staged[name] = self.api.staged.get(name, b"") + body
            last = not self.headers.get("Content-Range", "").endswith("/*")
            checksum = base64.b64encode(google_crc32c.Checksum(self.api.staged[name]).digest()).decode()
            answer = {"bucket": name.partition("/")[0], "name": name.partition("/")[2], "crc32c": checksum}
            self._answer(
                answer if last else {}, 200 if last else 308, {} if last else {"Range": f"bytes=0-{len(body)}"}
            )

    def _answer_of_jobs(self, found: re.Match[str], query: dict[str, str]) -> None:
        if self.api.broken:
            self.api.broken -= 1
            self._answer({"error": {"code": 503, "message": "try again", "status": "UNAVAILABLE"}}, 503)
        elif found["messages"]:
            errors = query["minimumImportance"] == str(JobMessageImportance.JOB_MESSAGE_ERROR.value)
            self._answer({"jobMessages": self.api.messages.get(found["job"], []) if errors else []})
        elif found["job"]:
            self._answer(self.api.jobs[found["job"]])
        else:
            start = int(query.get("pageToken", "0"))
            known = [job for job in self.api.jobs.values() if query.get("name") in (None, job["name"])]
            names = ("id", "name", "currentState", "createTime")
            page = [{name: job[name] for name in names} for job in known[start : start + PAGE]]
            more = {"nextPageToken": str(start + PAGE)} if start + PAGE < len(known) else {}
            self._answer({"jobs": page, **more})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def dataflow_api() -> Iterator[Api]:
    """Serve on a free port of loopback."""
    api = Api()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    api.url = f"http://localhost:{server.server_port}"
    with serving(server):
        yield api
