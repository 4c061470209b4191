"""Tasks as pods by a real scheduler, on a stand-in for a cluster. Run by `make test-airflow`."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.dags.airflow_api import started
from tests.dags.conftest import Program, pod_variables
from tests.dags.kubernetes_api import Cluster, until
from tests.gcs.emulator import free_port
from tools.local_airflow import descendants

pytestmark = pytest.mark.slow
DAG = "visual_search_housekeeping"
SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "VISUAL_SEARCH_RETRY_S": "1",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pods-") as path:
        yield Path(path)


def kill_worker(ancestor: int) -> int:
    """Kill whoever executes a task, and all that it started; return how many processes that was."""
    for pid in descendants(ancestor):
        with suppress(OSError):
            if b"LocalExecutor: " in (line := Path(f"/proc/{pid}/cmdline").read_bytes()) and b"<idle>" not in line:
                family = [pid, *descendants(pid)]
                for one in family:
                    os.kill(one, signal.SIGKILL)
                return len(family)
    return 0


@pytest.mark.timeout(600)
def test_a_pod_outlives_its_worker_and_no_second_one_is_made(folder: Path) -> None:
    program, config = Program(folder), folder / "shop.toml"
    config.touch()
    go_on = program.waits()
    with Cluster(folder) as cluster:
        more = pod_variables(cluster) | SOON | {"AIRFLOW_VAR_VISUAL_SEARCH_COMMAND": program.command}
        with started(config, folder / "home", free_port(), **more) as airflow:
            until(lambda: DAG in airflow.dags(), 120)
            airflow.unpause(DAG)
            until(lambda: program.asked != [] and cluster.followed == 1, 120)
            assert kill_worker(airflow.process.pid) >= 2
            until(lambda: cluster.followed == 2, 240)
            go_on()
            (run,) = airflow.runs(DAG)
            assert airflow.finished(DAG, run) == {"gc": "success"}
            assert airflow.tasks(DAG, run)["gc"]["try_number"] == 2
            assert airflow.result(DAG, run, "gc")["counts"] == {"in": 3}
        assert len(cluster.made) == len(program.asked) == 1
        assert cluster.pods == {}
