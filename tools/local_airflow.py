"""Run Airflow on this machine alone: its four parts on loopback, the DAGs of this checkout, one login.

    .venv-airflow/bin/python -m tools.local_airflow --config SHOP.toml [--home FOLDER] [--port N] [--postgres]

Owns how the parts are started, told of each other, and ended: `airflow standalone` lets its log servers listen on every
interface, and leaves children behind when it is stopped. Everything that is started, tasks and what these start
included, is ended with this process (it is the subreaper of all of them, so none can leave the family).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Iterator, Optional, Sequence

from tools.local_postgres import Postgres, PostgresError
from tools.ports import is_free
from tools.setup_env import ROOT

LOGIN = "admin"
PARTS = (
    ("api-server", "--host", "127.0.0.1", "--port", "{port}"),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)
HEALTHY = ("metadatabase", "scheduler", "dag_processor", "triggerer")
HEALTHY_WITHIN_S = 180
ENDED_WITHIN_S = 20
_PR_SET_CHILD_SUBREAPER = 36


class AirflowError(RuntimeError):
    """Airflow does not run; the message says why and what to do."""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run until Ctrl-C or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.local_airflow")
    parser.add_argument("--config", type=Path, required=True, help="TOML file of the environment that the DAGs work on")
    parser.add_argument("--home", type=Path, default=ROOT / "work" / "airflow", help="Airflow's own folder")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--postgres", action="store_true", help="keep its state in PostgreSQL, not in SQLite")
    chosen = parser.parse_args(arguments)
    for one in (signal.SIGINT, signal.SIGTERM):  # a shell has its background jobs ignore the first
        signal.signal(one, _interrupt)
    try:
        if not chosen.config.is_file():
            raise AirflowError(f"there is no config file {chosen.config}; `make airflow` draws a catalogue with one")
        with running(chosen.config.resolve(), chosen.home.resolve(), chosen.port, postgres=chosen.postgres) as parts:
            where = f"http://127.0.0.1:{chosen.port}"
            print(f"Airflow: {where}  (user {LOGIN}, password {LOGIN}; Ctrl-C stops it)", flush=True)
            while all(part.poll() is None for part in parts):
                time.sleep(1)
            raise AirflowError(f"a part of Airflow has ended by itself; its log is in {chosen.home}/logs")
    except KeyboardInterrupt:
        return 0
    except (AirflowError, PostgresError, OSError) as error:
        print(f"airflow: {error}", file=sys.stderr)
        return 1


@contextmanager
def running(config: Path, home: Path, port: int, *, postgres: bool = False) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start all parts, wait until they are healthy, and end all of them and what they started.

    Raises AirflowError when the port is taken, or a part does not come up, and PostgresError when that does not.
    """
    if not is_free(port):
        raise AirflowError(f"port {port} is taken; choose another with --port (make airflow PORT=N)")
    database = Postgres(home / "postgres") if postgres else None
    environment = settings(config, home, port, database.url if database else f"sqlite:///{home}/airflow.db")
    airflow = [sys.executable, "-m", "airflow"]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parts: list[subprocess.Popen[bytes]] = []
    try:
        if database:
            database.start()
        pool = ("pools", "set", "visual_search_gpu", "1", "one model at a time")
        for once in (("db", "migrate"), pool):
            with (home / "logs" / f"{once[0]}.log").open("wb") as log:
                if subprocess.run([*airflow, *once], env=environment, stdout=log, stderr=log, check=False).returncode:
                    raise AirflowError(f"`airflow {' '.join(once)}` failed; see {log.name}")
        for part in PARTS:
            with (home / "logs" / f"{part[0]}.log").open("wb") as log:
                command = [*airflow, *(word.format(port=port) for word in part)]
                parts.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
        _wait_until_healthy(parts, home, port)
        yield parts
    finally:
        end_descendants()


def settings(config: Path, home: Path, port: int, database: str) -> dict[str, str]:
    """Return the environment of every part, and write the files that it names. The login is for loopback alone."""
    (home / "logs").mkdir(parents=True, exist_ok=True)
    passwords, secret = home / "passwords.json", home / "secret"
    passwords.write_text(json.dumps({LOGIN: LOGIN}))
    if not secret.exists():
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW_VAR_VISUAL_SEARCH_COMMAND": str(ROOT / ".venv" / "bin" / "visual-search"),
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API_AUTH__JWT_SECRET": secret.read_text(),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{LOGIN}:admin",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW_VAR_VISUAL_SEARCH_CONFIG": str(config),
    }


def end_descendants() -> None:
    """End every process that descends from this one: with SIGTERM, and what is left after 20 seconds with SIGKILL."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses Ctrl-C twice must leave nothing behind either
    until = time.monotonic() + ENDED_WITHIN_S
    told: set[int] = set()
    while left := descendants(os.getpid()):
        late = time.monotonic() > until
        for pid in left if late else left - told:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        told |= left
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.1)


def descendants(pid: int) -> set[int]:
    """Return the processes that descend from one, those included that have ended and wait for their parent to ask."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except (OSError, IndexError):
            continue
        children.setdefault(int(parent), []).append(int(folder.name))
    found: set[int] = set()
    new = [pid]
    while new:
        new = [child for one in new for child in children.get(one, [])]
        found.update(new)
    return found


def _wait_until_healthy(parts: Sequence[subprocess.Popen[bytes]], home: Path, port: int) -> None:
    until = time.monotonic() + HEALTHY_WITHIN_S
    while time.monotonic() < until:
        for (name, *_), part in zip(PARTS, parts):
            if part.poll() is not None:
                raise AirflowError(f"{name} ended with exit code {part.returncode}; see {home}/logs/{name}.log")
        if _is_healthy(port):
            return
        time.sleep(0.5)
    raise AirflowError(f"not healthy within {HEALTHY_WITHIN_S} s; the logs are in {home}/logs")


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=5) as answer:
            parts = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return all(parts[name]["status"] == "healthy" for name in HEALTHY)


def _interrupt(_signal: int, _frame: Optional[FrameType]) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
