"""A Flink cluster of processes on this machine, and shops that run on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Shop, copy_of
from tests.waiting import until
from tools.flink_parts import Parts, get
from tools.local_flink import LocalFlink
from tools.ports import free_port
from tools.setup_env import cache_folder

TASK_MANAGERS = 2
PATIENCE_S = 300


class Cluster:
    """The cluster that the tests share, and what they ask of it."""

    def __init__(self, flink: LocalFlink, parts: Parts) -> None:
        self.flink, self.parts = flink, parts

    def jobs(self, step: str = "") -> list[dict[str, Any]]:
        """Return the jobs whose name holds a step, oldest first."""
        found = requests.get(f"{self.flink.rest}/jobs/overview", timeout=10).json()["jobs"]
        return sorted((job for job in found if step in job["name"]), key=lambda job: job["start-time"])

    def vertices(self, job_id: str) -> list[str]:
        """Return the states of a job's steps."""
        found = requests.get(f"{self.flink.rest}/jobs/{job_id}", timeout=10).json()
        return [vertex["status"] for vertex in found["vertices"]]

    def failures(self, job_id: str) -> list[dict[str, Any]]:
        """Return what a job has failed of, one entry an attempt."""
        found = requests.get(f"{self.flink.rest}/jobs/{job_id}/exceptions", timeout=10).json()
        entries: list[dict[str, Any]] = found["exceptionHistory"]["entries"]
        return entries

    def pid(self, name: str) -> int:
        """Return the process id of one of its processes."""
        return dict(self.flink.processes())[name]

    def whole(self) -> None:
        """Start what a test has killed, and wait until all TaskManagers are there."""
        running = dict(self.flink.processes())
        for number in range(1, TASK_MANAGERS + 1):
            if f"task-manager-{number}" not in running:
                self.flink.start_task_manager(self.parts, number)
        until(lambda: self._task_managers() == TASK_MANAGERS, PATIENCE_S)

    def _task_managers(self) -> int:
        return int(requests.get(f"{self.flink.rest}/overview", timeout=10).json()["taskmanagers"])


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster, once for all tests."""
    parts = get(cache_folder())
    home: Path = tmp_path_factory.mktemp("flink")
    flink = LocalFlink(home, free_port(), free_port())
    try:
        flink.start(parts, TASK_MANAGERS)
        yield Cluster(flink, parts)
    finally:
        flink.stop()
    assert list(flink.processes()) == list(flink.workers()) == []


@pytest.fixture
def cluster(started: Cluster) -> Cluster:
    """The cluster, with all that it was started with."""
    started.whole()
    return started


def on_flink(shop: Shop, folder: Path, cluster: Cluster) -> Shop:
    """Return a copy of a shop that runs on a cluster."""
    moved = copy_of(shop, folder)
    with moved.config.open("a", encoding="utf-8") as file:
        file.write(f"\n{cluster.flink.settings()}")
    return moved
