"""`visual-search serve` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.serving.shop import ServedShop

LISTENING = re.compile(r"listening on (http://\S+?)[\",]?$|\"message\": \"listening on (http://\S+?)\"", re.MULTILINE)


class ServeProcess:
    """A process that serves a shop on a free port of loopback; what it writes is in `log`."""

    def __init__(self, shop: ServedShop, *options: str, log_format: str = "text") -> None:
        self.log = shop.root / f"serve-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "pipelines.cli", "--log-format", log_format, "serve"]
        command += ["--config", str(shop.config_path), "--port", "0", *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ, cwd=Path.cwd())
        self.url = self._url()

    def ready(self, release_id: str, within_s: float = 180) -> None:
        """Wait until it answers from a release."""
        until = time.monotonic() + within_s
        while True:
            told = self.get("/readyz").json()
            if (told["status"], told.get("release_id")) == ("ready", release_id):
                return
            assert time.monotonic() < until, f"{told}\n{self.said()}"
            time.sleep(0.05)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=30)

    def search(self, photo: bytes, query: str = "k=1") -> httpx.Response:
        return httpx.post(f"{self.url}/v1/search?{query}", content=photo, timeout=30)

    def memory_bytes(self) -> int:
        """What it holds for itself."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _url(self) -> str:
        until = time.monotonic() + 180
        while not (found := LISTENING.search(self.said())):
            assert self.process.poll() is None and time.monotonic() < until, self.said()
            time.sleep(0.05)
        return found[1] or found[2]


@contextmanager
def process(shop: ServedShop, *options: str, log_format: str = "text") -> Iterator[ServeProcess]:
    """Run one for the time of a test."""
    running = ServeProcess(shop, *options, log_format=log_format)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)
