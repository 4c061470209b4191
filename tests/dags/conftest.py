"""The DAGs in Airflow's own environment, with a throw-away home; `make test` runs them there, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest

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
    }
    sys.path.insert(0, str(DAGS))

if TYPE_CHECKING:
    from airflow.sdk import DAG

PROGRAM = """
import json, os, sys
arguments = sys.argv[1:]
with open(os.environ["ASKED"], "a") as file:
    file.write(json.dumps(arguments) + "\\n")
print("native code writes text", file=sys.stderr)
outcome = json.loads(os.environ["OUTCOMES"]).get(arguments[0])
if outcome:
    message, code = outcome
    line = {"severity": "ERROR", "message": message, "exit_code": code, "run_id": "r", "stage": arguments[0]}
    print(json.dumps(line), file=sys.stderr)
    sys.exit(code)
print("a line before the last")
more = json.loads(os.environ["LAST_LINES"]).get(arguments[0], {})
last = {"stage": arguments[0], "run_id": "r", "counts": {"in": 3}, "seconds": 1.5, "uri": "gs://b/releases/x"}
print(json.dumps(last | more))
"""


class Program:
    """Stands where `visual-search` does: writes down what it was asked, and ends as it is told."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._asked, script = folder / "asked", folder / "program.py"
        script.write_text(PROGRAM)
        self._set = monkeypatch.setenv
        self._set("ASKED", str(self._asked))
        self._set("AIRFLOW_VAR_VISUAL_SEARCH_COMMAND", f"{sys.executable} {script}")
        self._set("AIRFLOW_VAR_VISUAL_SEARCH_CONFIG", "/shops/a shop.toml")
        self.ends()
        self.says()

    def ends(self, **outcomes: tuple[str, int]) -> None:
        """Have commands end with a message and an exit code."""
        self._set("OUTCOMES", json.dumps(outcomes))

    def says(self, **more: dict[str, Any]) -> None:
        """Have commands say more in their last lines."""
        self._set("LAST_LINES", json.dumps(more))

    @property
    def asked(self) -> list[list[str]]:
        """The arguments of every call, in order."""
        return [json.loads(line) for line in self._asked.read_text().splitlines()]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    return Program(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def dags() -> Iterator[dict[str, DAG]]:
    """Every DAG of the folder, by id, with a database that is ready for runs."""
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(command, check=True, capture_output=True)
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    yield bag.dags


def needs_postgres() -> None:
    """Skip the test where there is no PostgreSQL."""
    if not (which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        pytest.skip("there is no PostgreSQL on this machine: apt-get install postgresql")


def states(run: Any) -> dict[str, str]:
    """Return the state of every task of a run."""
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
