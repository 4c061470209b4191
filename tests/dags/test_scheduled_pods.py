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
from tests.dags.consumers import CONSUMER, SENDER, with_consumers
from tests.dags.kubernetes_api import Cluster
from tests.waiting import until
from tools.local_airflow import descendants
from tools.ports import free_port

pytestmark = pytest.mark.slow
STAGES = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
DAILY, DELTA, DAG = "visual_search_daily", "visual_search_delta", "visual_search_housekeeping"
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


@pytest.mark.timeout(1800)
def test_a_release_starts_its_consumers_and_a_feed_that_waits_for_it(folder: Path) -> None:
    program, config = Program(folder), folder / "shop.toml"
    config.touch()
    more = {"AIRFLOW_VAR_VISUAL_SEARCH_COMMAND": program.command} | with_consumers(folder)
    (folder / "outbox" / "feed.jsonl").touch()
    (folder / "outbox" / "open").unlink()
    with (
        Cluster(folder) as cluster,
        started(config, folder / "home", free_port(), **pod_variables(cluster), **more) as airflow,
    ):
        until(lambda: {DAILY, DELTA, CONSUMER, SENDER} <= airflow.dags(), 120)
        for dag_id in (CONSUMER, SENDER, DELTA, DAILY):
            airflow.unpause(dag_id)
        until(lambda: bool(airflow.runs(DAILY)), 60)
        (day,) = airflow.runs(DAILY)
        assert airflow.finished(DAILY, day) == dict.fromkeys(STAGES, "success")
        until(lambda: bool(airflow.runs(DELTA)), 120)
        (feed,) = airflow.runs(DELTA)
        assert airflow.finished(DELTA, feed) == dict.fromkeys(STAGES, "success")
        until(lambda: len(airflow.runs(SENDER)) == len(airflow.runs(CONSUMER)) == 2, 120)
        ended = [airflow.finished(SENDER, run) for run in sorted(airflow.runs(SENDER))]
        assert ended == [{"send": "success"}, {"send": "skipped"}]
        names = list(dict.fromkeys(asked[4] for asked in program.asked))  # of the pipeline's runs
        assert [name.split("-")[0] for name in names] == ["daily", "delta"]
        for run, name in zip(sorted(airflow.runs(CONSUMER)), names, strict=True):
            assert airflow.finished(CONSUMER, run) == {"reload": "success"}
            assert airflow.result(CONSUMER, run, "reload") == [name]
        events = airflow.asset_events("visual_search_release")
        assert [one["source_dag_id"] for one in events] == [DELTA, DAILY]
        assert {one["source_task_id"] for one in events} == {"promote"}
        assert [one["extra"]["run_id"] for one in events] == names[::-1]
        assert all(len(airflow.runs(dag_id)) == 1 for dag_id in (DAILY, DELTA))
        assert [asked[0] for asked in program.asked] == [*STAGES, *STAGES]
        assert len(cluster.made) == 14
