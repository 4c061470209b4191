"""The DAGs in Airflow's own environment, with a throw-away home; `make test` runs them there, and nowhere else."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.dags.kubernetes_api import IMAGE, Cluster

DAGS = Path(__file__).parents[2] / "dags"

collect_ignore_glob = [] if find_spec("airflow") else ["test_*.py"]

if find_spec("airflow"):  # it reads these when it is first imported
    home = tempfile.mkdtemp(prefix="airflow-")
    os.environ |= {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PYTHONPATH": str(DAGS),
        "VISUAL_SEARCH_RETRY_S": "1",  # a test that fails does so soon
    }
    sys.path.insert(0, str(DAGS))


@pytest.fixture(scope="session", autouse=True)
def hardly_timed() -> None:
    """Airflow's environment evaluates nothing, and has not what that needs."""


if TYPE_CHECKING:
    from airflow.sdk import DAG

PROGRAM = """
import json, sys, time
from pathlib import Path
told = json.loads(Path(__file__).with_name("told.json").read_text())
arguments = sys.argv[1:]
with open(Path(__file__).with_name("asked"), "a") as file:
    file.write(json.dumps(arguments) + "\\n")
print("native code writes text", file=sys.stderr)
print(json.dumps({"severity": "WARNING", "logger": "visual_search", "message": "mind the gap"}), file=sys.stderr)
print("a line before the last", flush=True)
while Path(__file__).with_name("waits").exists():
    time.sleep(0.05)
name = " ".join(arguments[: arguments.index("--config")])
outcome = told["ends"].get(name)
if outcome:
    message, code = outcome
    print(json.dumps({"stage": arguments[0], "refusal": message}), flush=True)
    line = {"severity": "ERROR", "message": message, "exit_code": code, "run_id": "r", "stage": arguments[0]}
    print(json.dumps(line), file=sys.stderr)
    print("native code says goodbye", file=sys.stderr)
    sys.exit(code)
run_id = arguments[arguments.index("--run-id") + 1] if "--run-id" in arguments else "r"
last = {"stage": arguments[0], "run_id": run_id, "counts": {"in": 3}, "seconds": 1.5, "uri": "gs://b/releases/x"}
more = told["says"].get(name, {})
if isinstance(more, list):
    before = [json.loads(line) for line in Path(__file__).with_name("asked").read_text().splitlines()]
    times = sum(one[: len(name.split())] == name.split() for one in before)
    more = more[min(times, len(more)) - 1]
print(json.dumps(last | more))
"""


class Program:
    """Stands where `visual-search` does: writes down what it was asked, and ends as it is told."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "program.py"
        self.script.write_text(PROGRAM)
        self._told: dict[str, Any] = {"ends": {}, "says": {}}
        self.ends()

    @property
    def command(self) -> str:
        """What calls it."""
        return f"{sys.executable} {self.script}"

    def ends(self, **outcomes: tuple[str, int]) -> None:
        """Have commands end with a message and an exit code."""
        self._tell(ends=outcomes)

    def says(self, **more: dict[str, Any] | list[dict[str, Any]]) -> None:
        """Have commands say more in their last lines; of a list, one entry a call, and then the last one again."""
        self._tell(says=more)

    def waits(self) -> Callable[[], None]:
        """Have commands wait for the call of what is returned."""
        file = self.script.with_name("waits")
        file.touch()
        return file.unlink

    @property
    def asked(self) -> list[list[str]]:
        """The arguments of every call, in order."""
        asked = self.script.with_name("asked")
        return [json.loads(line) for line in asked.read_text().splitlines()] if asked.exists() else []

    def _tell(self, **more: Any) -> None:
        self._told |= more
        self.script.with_name("told.json").write_text(json.dumps(self._told))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    program = Program(tmp_path)
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_COMMAND", program.command)
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_CONFIG", "/shops/a shop.toml")
    return program


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A stand-in for a Kubernetes cluster, with what leads tasks there."""
    with Cluster(tmp_path) as cluster:
        for name, value in pod_variables(cluster).items():
            monkeypatch.setenv(name, value)
        yield cluster


@pytest.fixture(params=["local", "kubernetes"])
def launcher(request: pytest.FixtureRequest) -> str:
    """Every way in which a task is started, in turn."""
    if request.param == "kubernetes":
        request.getfixturevalue("cluster")
    return str(request.param)


def pod_variables(cluster: Cluster) -> dict[str, str]:
    """Return what a person sets, in the environment, for tasks that are pods."""
    named = {"LAUNCHER": "kubernetes", "IMAGE": IMAGE, "NAMESPACE": "shop", "SERVICE_ACCOUNT": "pipeline"}
    connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(cluster.kubeconfig)}}
    variables = {f"AIRFLOW_VAR_VISUAL_SEARCH_{name}": value for name, value in named.items()}
    return variables | {"AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection)}


@pytest.fixture(scope="session")
def dags() -> Iterator[dict[str, DAG]]:
    """Every DAG of the folder, by id, with a database that is ready for runs."""
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(command, check=True, capture_output=True)
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    yield bag.dags


class Heard:
    """Stands where a task's log does."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []

    def log(self, level: int, text: str, *arguments: Any) -> None:
        self.lines.append((level, text % arguments))

    def info(self, text: str, *arguments: Any) -> None:
        self.log(logging.INFO, text, *arguments)

    warning = info


class Attempt(threading.Thread):
    """Executes a task beside the test: `returned` is its result, `raised` how it failed."""

    def __init__(self, task: Any, context: dict[str, Any]) -> None:
        super().__init__()
        self._task, self._context = task, context
        self.raised: Exception | None = None
        self.returned: dict[str, Any] = {}
        self.start()

    def run(self) -> None:
        """Execute the task."""
        try:
            self.returned = self._task.execute(self._context)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.raised = error


def task_of(program: Program, launcher: str, *, try_number: int = 1, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Return a task, and the context in which Airflow would execute it."""
    from command_task import CommandTask

    task = CommandTask(
        task_id="embed", arguments=["embed"], launcher=launcher, program=program.command, config="c.toml", **options
    )
    pushed: dict[str, Any] = {}
    instance = SimpleNamespace(dag_id="visual_search_daily", task_id="embed", map_index=-1, try_number=try_number)
    instance.max_tries = 1  # of the first attempt one retry is left, of the second none
    instance.xcom_push = lambda key, value: pushed.update({key: value})
    run = SimpleNamespace(run_type="manual")
    return task, {"dag_run": run, "run_id": "manual__2026-11-22", "ti": instance, "dag": SimpleNamespace()}


def needs_postgres() -> None:
    """Skip the test where there is no PostgreSQL."""
    if not (which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        pytest.skip("there is no PostgreSQL on this machine: apt-get install postgresql")


def states(run: Any) -> dict[str, str]:
    """Return the state of every task of a run."""
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
