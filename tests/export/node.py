"""One real node of OpenSearch on this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from pipelines.store.retries import polled
from tests.conftest import OPENSEARCH
from tools.ports import free_port

SOURCE = Path(__file__).parent / "opensearch" / "SingleNode.java"
START_S = 120


@contextmanager
def node(folder: Path) -> Iterator[str]:
    """Run a node in a folder; give its URL. It ends with the block, or with this process."""
    port = free_port()
    command = ["java", "-Xmx512m", "-cp", f"{os.environ[OPENSEARCH]}/*", str(SOURCE), str(folder), str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool | None:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            return requests.get(url, timeout=5).ok or None
        except requests.ConnectionError:
            return None

    try:
        assert polled(ready, 0.2, START_S), (folder / "log").read_text()
        yield url
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
