"""The lease by which one process at a time does a stage of a run, and its heartbeat."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.errors import StageError
from pipelines.runs.context import RunContext
from pipelines.store import NotFoundError

HEARTBEAT_S = 10.0


STALE_S = 90.0


def lease_is_live(lease: dict[str, Any], now: float) -> bool:
    """Tell whether the process that holds the lease may still be at work."""
    if now - float(lease["heartbeat"]) > STALE_S:
        return False
    return lease["host"] != socket.gethostname() or _process_lives(int(lease["pid"]), lease.get("process_started"))


@contextmanager
def lease(context: RunContext, stage: str) -> Iterator[None]:
    """Hold the lease of a stage while the block runs. Raises StageError when another process holds it."""
    name = f"{context.prefix(stage)}/lease.json"
    try:
        held = context.store.read_json(name)
    except NotFoundError:
        held = None
    mine = {"host": socket.gethostname(), "pid": os.getpid(), "process_started": _process_start(os.getpid())}
    if held and lease_is_live(held, time.time()) and (held["host"], held["pid"]) != (mine["host"], mine["pid"]):
        raise StageError(
            f"{stage} of run {context.run_id!r} is being done by process {held['pid']} on {held['host']}; wait for it"
        )
    stop = threading.Event()

    def beat() -> None:
        context.store.put(name, json.dumps(mine | {"heartbeat": time.time()}).encode())

    def beat_on() -> None:
        while not stop.wait(HEARTBEAT_S):
            beat()

    beat()  # before the work starts: others, and gc, must see the lease first
    thread = threading.Thread(target=beat_on, name=f"lease-{stage}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        context.store.delete(name)


def _process_start(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None


def _process_lives(pid: int, started: str | None) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return started is None or _process_start(pid) == started
