"""Google Cloud Storage on this machine: fake-gcs-server behind the edge, for the time of a test session."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.ports import free_port

SERVER = "VISUAL_SEARCH_GCS_SERVER"
"""Names the program fake-gcs-server; `make test-gcs` sets it."""


class Emulator:
    """A running emulator: makes buckets, and breaks the wire on order."""

    def __init__(self, url: str) -> None:
        self.url = url

    def new_store_uri(self) -> str:
        """Make a bucket and return the URI of a store in it."""
        bucket = f"shop-{uuid.uuid4().hex[:12]}"
        self._ask("POST", "/storage/v1/b?project=test", {"name": bucket})
        return f"gs://{bucket}/some/prefix"

    def fault(self, match: str, action: str, **more: Any) -> None:
        """Break the next requests whose "METHOD /path?query" holds the regex `match`."""
        self._ask("POST", "/_faults", {"match": match, "action": action, **more})

    def met(self) -> list[str]:
        """Return the actions that requests have met, in order."""
        return [action for _, action in self._ask("GET", "/_faults")["log"] if action]

    def asked(self) -> list[str]:
        """Return the requests since `heal`, as "METHOD /path?query"."""
        return [request for request, _ in self._ask("GET", "/_faults")["log"]]

    def heal(self) -> None:
        """Forget all faults and the log."""
        self._ask("DELETE", "/_faults")

    def _ask(self, method: str, path: str, value: Any = None) -> Any:
        data = None if value is None else json.dumps(value).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running(folder: Path) -> Iterator[Emulator]:
    """Run server and edge on free loopback ports, and have the client of this and of started processes find them."""
    server_port, edge_port = free_port(), free_port()
    address = f"127.0.0.1:{edge_port}"
    server = [os.environ[SERVER], "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1"]
    server += ["-port", str(server_port), "-public-host", address, "-external-url", f"http://{address}"]
    edge = [sys.executable, str(Path(__file__).with_name("edge.py")), str(edge_port), str(server_port)]
    settings = {"STORAGE_EMULATOR_HOST": f"http://{address}", "GOOGLE_CLOUD_PROJECT": "test"}
    before = {name: os.environ.get(name) for name in settings}
    with (folder / "server.log").open("wb") as log:
        processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in (server, edge)]
        try:
            for port in (server_port, edge_port):
                _wait_for(port, folder / "server.log")
            os.environ.update(settings)
            yield Emulator(f"http://{address}")
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            for process in processes:
                process.kill()
                process.wait()


def _wait_for(port: int, log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}:\n{log.read_text(errors='replace')}")
