"""A stand-in for a Kubernetes cluster: the part of its API that Airflow's provider and kubectl speak, over real HTTP.

A pod's command runs as a local process, with the image's variables and those of its manifest, none of the test's. As
in a cluster: what is posted is read strictly, `$(NAME)` in a command is expanded, both streams come mixed line by line
in one log, a deleted pod's process gets SIGTERM and its grace period, and every request needs the token. Not as in one:
nothing is scheduled or isolated, and a ConfigMap's mount is a folder whose path is put in the place of the mount's in
the command.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.servers import serving
from tests.waiting import until

IMAGE = "registry.example/visual-search:1"
TOKEN = "a token of the tests"
PATHS = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/(?P<kind>[a-z]+)(?:/(?P<name>[^/]+)(?P<part>/log)?)?")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        self.status |= {"code": code, "reason": reason, "message": message}


class Pod:
    """A pod, and the process that is its container's."""

    def __init__(self, cluster: Cluster, manifest: dict[str, Any], folder: Path) -> None:
        self.cluster, self.manifest, self.folder = cluster, manifest, folder
        self.container = manifest["spec"]["containers"][0]
        self.lines: list[tuple[str, str]] = []
        self.more = threading.Condition()
        self.process: subprocess.Popen[str] | None = None
        self.over = self.is_evicted = False
        self.events: list[tuple[str, str]] = [("Scheduled", "Successfully assigned to the stand-in's node")]
        metadata = manifest["metadata"]
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "resourceVersion": "1"}
        self._say("Pending", {"waiting": {"reason": "ContainerCreating"}})

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        found: dict[str, str] = self.manifest["metadata"].setdefault("labels", {})
        return found

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def run(self) -> None:
        """Start the command after the cluster's delay, read what it says, and note how it ended."""
        time.sleep(self.cluster.starts_after_s)
        if self.container["image"] != IMAGE:
            message = f"{self.container['image']}: not found"
            self._say("Pending", {"waiting": {"reason": "ErrImagePull", "message": message}})
            return
        if "deletionTimestamp" in self.manifest["metadata"]:
            self.cluster.forget(self)
            return
        self.folder.mkdir()
        self.events.append(("Started", "Started container"))
        self.process = subprocess.Popen(
            self._command(),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._say("Running", {"running": {"startedAt": now()}})
        streams = (self.process.stdout, self.process.stderr)
        readers = [threading.Thread(target=self._read, args=(stream,)) for stream in streams]
        for reader in readers:
            reader.start()
        code = self.process.wait()
        with suppress(ProcessLookupError):  # what the first process of a container started ends with it
            os.killpg(self.process.pid, signal.SIGKILL)
        for reader in readers:
            reader.join()
        ended = {"exitCode": code if code >= 0 else 128 - code, "startedAt": now(), "finishedAt": now()}
        ended["reason"] = self.cluster.ends_as or ("Error" if code else "Completed")
        self._say("Failed" if code else "Succeeded", {"terminated": ended})
        with self.more:
            self.over = True
            self.more.notify_all()
        if "deletionTimestamp" in self.manifest["metadata"]:
            self.cluster.forget(self)

    def delete(self, grace_s: int | None) -> None:
        """Have the command end: politely, and after the grace period not."""
        spec = self.manifest["spec"]
        grace_s = spec.get("terminationGracePeriodSeconds", 30) if grace_s is None else grace_s
        self.manifest["metadata"] |= {"deletionTimestamp": now(), "deletionGracePeriodSeconds": grace_s}
        if self.process is None or self.over:
            self.cluster.forget(self)
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        killer = threading.Timer(grace_s, self.process.kill)
        killer.daemon = True
        killer.start()

    def evict(self) -> None:
        """End the pod as a node does that runs out of memory: no container has a status any more."""
        status = self.manifest["status"]
        status |= {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
        del status["containerStatuses"]
        self.is_evicted = True
        os.killpg(self.pid, signal.SIGKILL)

    def log(self, *, follow: bool, timestamps: bool, tail: int | None, since: float | None) -> Iterator[str]:
        """Yield the lines of the log, as they come where it is followed."""
        number = max(len(self.lines) - tail, 0) if tail is not None else 0
        while True:
            with self.more:
                if follow and number >= len(self.lines) and not self.over:
                    self.more.wait(0.5)
                lines, over = self.lines[number:], self.over
            number += len(lines)
            for at, line in lines:
                if since is None or datetime.fromisoformat(at).timestamp() >= since:
                    yield f"{at} {line}" if timestamps else line
            if not follow or (over and number >= len(self.lines)):
                return

    def _read(self, stream: Any) -> None:
        for line in stream:
            with self.more:
                self.lines.append((now(), line))
                self.more.notify_all()

    def _environment(self) -> dict[str, str]:
        found = dict(self.cluster.image_environment)
        for variable in self.container.get("env", []):
            found[variable["name"]] = expand(variable.get("value", ""), found)
        return found

    def _command(self) -> list[str]:
        given = [*self.container.get("command", []), *self.container.get("args", [])]
        declared = {variable["name"]: variable.get("value", "") for variable in self.container.get("env", [])}
        words = [expand(word, declared) for word in given]
        for mount in self.container.get("volumeMounts", []):
            (volume,) = [one for one in self.manifest["spec"]["volumes"] if one["name"] == mount["name"]]
            if "configMap" not in volume:
                continue
            folder = self.folder / mount["name"]
            folder.mkdir()
            for name, text in self.cluster.config_maps[volume["configMap"]["name"]].items():
                (folder / name).write_text(text)
            words = [word.replace(mount["mountPath"], str(folder)) for word in words]
        return words

    def _say(self, phase: str, state: dict[str, Any]) -> None:
        if self.is_evicted:
            return
        container = {"name": self.container["name"], "image": self.container["image"], "imageID": "", "ready": False}
        container |= {"restartCount": 0, "state": state}
        conditions = [{"type": "PodScheduled", "status": "True"}]
        status = {"phase": phase, "conditions": conditions, "containerStatuses": [container], "startTime": now()}
        self.manifest["status"] = status


class Cluster:
    """The pods, and what a test has happen to them."""

    def __init__(self, folder: Path) -> None:
        must_be_exact({"kind": "Pod"})  # imports what takes seconds, for which no request should wait
        self.folder = folder
        self.pods: dict[str, Pod] = {}
        self.made: list[Pod] = []
        self.config_maps: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.image_environment = {"PATH": os.environ["PATH"]}
        self.needs_token = True
        self.followed = 0
        self.starts_after_s = self.answers_after_s = 0.0
        self.ends_as = ""
        self.breaks_log_after: int | None = None
        self.breaks_log_at_end = False
        self.server = Server(self)
        self.serving = serving(self.server)

    def __enter__(self) -> Cluster:
        self.serving.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.serving.__exit__(None, None, None)
        for pod in self.made:
            if pod.process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(pod.pid, signal.SIGKILL)

    @property
    def kubeconfig(self) -> Path:
        """A file that leads a client here."""
        named = {"name": "stand-in"}
        server = {"server": f"http://127.0.0.1:{self.server.server_port}"}
        value = {"apiVersion": "v1", "kind": "Config", "current-context": "stand-in"}
        value["clusters"] = [named | {"cluster": server}]
        value["users"] = [named | {"user": {"token": TOKEN}}]
        value["contexts"] = [named | {"context": {"cluster": "stand-in", "user": "stand-in", "namespace": "shop"}}]
        path = self.folder / "kubeconfig"
        path.write_text(yaml.safe_dump(value))
        return path

    def make(self, namespace: str, manifest: dict[str, Any]) -> dict[str, Any]:
        """Take in a pod and start it."""
        manifest.setdefault("metadata", {})["namespace"] = namespace
        must_be_exact(manifest)
        if manifest["metadata"]["name"] in self.pods:
            raise RefusedError(409, "AlreadyExists", f"pods {manifest['metadata']['name']!r} already exists")
        pod = Pod(self, manifest, self.folder / f"pod-{len(self.made)}")
        self.pods[pod.name] = pod
        self.made.append(pod)
        threading.Thread(target=pod.run, daemon=True).start()
        time.sleep(self.answers_after_s)
        return pod.manifest

    def get(self, namespace: str, name: str) -> Pod:
        """Return a pod."""
        pod = self.pods.get(name)
        if pod is None or pod.manifest["metadata"]["namespace"] != namespace:
            raise RefusedError(404, "NotFound", f'pods "{name}" not found')
        return pod

    def forget(self, pod: Pod) -> None:
        """Remove a pod that has ended."""
        self.pods.pop(pod.name, None)


def must_be_exact(manifest: dict[str, Any]) -> None:
    """Refuse a pod with keys that no pod has, as a strict server does."""
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
    from kubernetes.client import ApiClient

    kept = ApiClient().sanitize_for_serialization(PodGenerator.deserialize_model_dict(manifest))
    if kept != manifest:
        raise RefusedError(400, "BadRequest", "strict decoding error: unknown field")


def expand(text: str, variables: dict[str, str]) -> str:
    """Put variables in the place of `$(NAME)`, as Kubernetes does: `$$` is `$`, and what is not known stays."""
    return re.sub(
        r"\$(?:\$|\(([^)]*)\))",
        lambda found: "$" if found[0] == "$$" else variables.get(found[1], found[0]),
        text,
    )


def matches(selector: str, labels: dict[str, str]) -> bool:
    """Tell whether labels are those that a selector asks for."""
    for term in filter(None, selector.split(",")):
        name, operator, value = re.fullmatch(r"(!?[^!=]+)(?:(==?|!=)(.*))?", term.strip()).groups()  # type: ignore[union-attr]
        if operator is None:
            fits = (name.lstrip("!") in labels) != name.startswith("!")
        else:
            fits = (labels.get(name) == value) != (operator == "!=")
        if not fits:
            return False
    return True


class Server(ThreadingHTTPServer):
    """Serves a cluster's API on a port of loopback."""

    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cluster = cluster


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    server: Server
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        self.server.cluster.asked.append(f"{self.command} {url.path}")
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        try:
            given = self.headers.get("Authorization")
            if self.server.cluster.needs_token and given != f"Bearer {TOKEN}":
                raise RefusedError(401, "Unauthorized", "Unauthorized")
            self.send(*self.found(url.path, query, json.loads(body) if body else {}))
        except RefusedError as refused:
            self.send(refused.status["code"], refused.status)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the server's names

    def found(self, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
        if path == "/api/v1":
            verbs = ["create", "delete", "get", "list", "patch"]
            pods = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": verbs}
            return 200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": [pods]}
        at = PATHS.fullmatch(path)
        if at is None or at["kind"] not in {"pods", "events"}:
            raise RefusedError(404, "NotFound", f"the stand-in has no {path}")
        if at["kind"] == "events":
            return 200, self.events(query)
        return self.pods(at["namespace"], at["name"], at["part"], query, body)

    def pods(
        self, namespace: str, name: str | None, part: str | None, query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        if name is None and self.command == "POST":
            return 201, self.server.cluster.make(namespace, body)
        if name is None:
            selector = query.get("labelSelector", "")
            manifests = [pod.manifest for pod in list(self.server.cluster.pods.values())]
            here = [one for one in manifests if one["metadata"]["namespace"] == namespace]
            items = [one for one in here if matches(selector, one["metadata"].get("labels", {}))]
            return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
        pod = self.server.cluster.get(namespace, name)
        if part == "/log":
            return 200, self.log(pod, query)
        if self.command == "PATCH":
            pod.labels.update(body["metadata"]["labels"])
        if self.command == "DELETE":
            grace = query.get("gracePeriodSeconds", body.get("gracePeriodSeconds"))
            pod.delete(None if grace is None else int(grace))
        return 200, pod.manifest

    def events(self, query: dict[str, str]) -> dict[str, Any]:
        _, _, name = query.get("fieldSelector", "").partition("involvedObject.name=")
        pod = self.server.cluster.pods.get(name)
        items = []
        for reason, message in pod.events if pod else []:
            one = {"metadata": {"name": f"{name}.{reason}", "uid": f"{name}.{reason}", "namespace": "shop"}}
            one |= {"involvedObject": {"kind": "Pod", "name": name}, "type": "Normal"}
            items.append(one | {"reason": reason, "message": message})
        return {"kind": "EventList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}

    def log(self, pod: Pod, query: dict[str, str]) -> Iterator[str]:
        tail, since = query.get("tailLines"), query.get("sinceSeconds")
        follow = query.get("follow", "").lower() == "true"
        self.server.cluster.followed += follow
        lines = pod.log(
            follow=follow,
            timestamps=query.get("timestamps", "").lower() == "true",
            tail=None if tail is None else int(tail),
            since=None if since is None else time.time() - int(since),
        )
        for number, line in enumerate(lines):
            if follow and self.server.cluster.breaks_log_after == number:
                self.server.cluster.breaks_log_after = None
                until(lambda: pod.over or not self.server.cluster.breaks_log_at_end)
                raise BrokenPipeError
            yield line

    def send(self, code: int, value: Any) -> None:
        if isinstance(value, dict):
            data = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for line in value:
                data = line.encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass
