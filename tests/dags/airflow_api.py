"""A local Airflow as a process of its own, and what is asked of it over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.dags.conftest import DAGS
from tests.waiting import until

ROOT = DAGS.parent


class Airflow:
    """The API of a local Airflow, logged in."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port, self.token = process, port, ""
        self.token = self.ask("/auth/token", {"username": "admin", "password": "admin"})["access_token"]

    def ask(self, path: str, value: Any = None, method: str | None = None) -> Any:
        """Send a request: GET, or POST of a value as JSON."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        data = None if value is None else json.dumps(value).encode()
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data=data, headers=headers, method=method), timeout=60
            ) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error} {error.read().decode()}") from error

    def dags(self) -> set[str]:
        """Return the ids of the DAGs that it knows."""
        return {dag["dag_id"] for dag in self.ask("/api/v2/dags")["dags"]}

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self.ask(f"/api/v2/dags/{dag_id}", {"is_paused": False}, "PATCH")

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Start a run by hand; return its id."""
        started = self.ask(f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(started["dag_run_id"])

    def runs(self, dag_id: str) -> dict[str, str]:
        """Return the states of a DAG's runs by their ids."""
        found = self.ask(f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in found}

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Return the task instances of a run by their task's id."""
        found = self.ask(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def finished(self, dag_id: str, run_id: str, within_s: float = 1800) -> dict[str, str]:
        """Wait for the end of a run; return the states of its tasks."""
        until(lambda: self.runs(dag_id).get(run_id) in {"success", "failed"}, within_s, f"{dag_id} {run_id}")
        return {name: task["state"] for name, task in self.tasks(dag_id, run_id).items()}

    def asset(self, name: str) -> int:
        """Return the id of an asset."""
        (found,) = [a for a in self.ask("/api/v2/assets?only_active=false")["assets"] if a["name"] == name]
        return int(found["id"])

    def asset_events(self, name: str) -> list[dict[str, Any]]:
        """Return the updates of an asset, newest first."""
        path = f"/api/v2/assets/events?asset_id={self.asset(name)}&order_by=-timestamp"
        found: list[dict[str, Any]] = self.ask(path)["asset_events"]
        return found

    def events(self, name: str) -> int:
        """Return how often an asset was updated."""
        return len(self.asset_events(name))

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task of a run has returned."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.ask(f"{path}?deserialize=true")["value"]


@contextmanager
def started(config: Path, home: Path, port: int, *more: str, **environment: str) -> Iterator[Airflow]:
    """Start a local Airflow and stop it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, "-m", "tools.local_airflow", "--config", str(config)]
    command += ["--home", str(home), "--port", str(port), *more]
    with subprocess.Popen(command, cwd=ROOT, env=inherited | environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == (
                f"Airflow: http://127.0.0.1:{port}  (user admin, password admin; Ctrl-C stops it)\n"
            )
            airflow = Airflow(process, port)
            yield airflow
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.terminate()
                raise
