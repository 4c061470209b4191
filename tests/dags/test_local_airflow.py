"""`make airflow`: a real scheduler on loopback alone, one login, nothing left behind. Run by `make test-airflow`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dags.airflow_api import ROOT, started
from tests.dags.conftest import needs_postgres
from tests.waiting import until
from tools.local_airflow import descendants
from tools.ports import free_port

pytestmark = pytest.mark.slow


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""


def listening(pids: set[int]) -> set[str]:
    """Return the addresses (hexadecimal, as /proc has them) that the processes listen on."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(os.readlink(link))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == "0A" and f"socket:[{cells[9]}]" in inodes:
                found.add(cells[1].split(":")[0])
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter, as PostgreSQL's must when it is started by root."""
    with tempfile.TemporaryDirectory(prefix="airflow-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("more", [[], ["--postgres"]], ids=["sqlite", "postgres"])
def test_it_listens_on_loopback_alone_and_leaves_nothing_behind(folder: Path, more: list[str]) -> None:
    if more:
        needs_postgres()
    config, port = folder / "shop.toml", free_port()
    config.touch()
    with started(config, folder / "home", port, *more) as airflow:
        family = descendants(airflow.process.pid)
        assert len(family) >= 4
        assert any(b"postgres" in command_line(pid) for pid in family) == bool(more)
        assert listening(family) <= {"0100007F", "00000000000000000000000001000000"}
        until(lambda: len(airflow.dags()) == 6, 120, "all DAGs")
    assert airflow.process.returncode == 0
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "tools.local_airflow", "--config", str(tmp_path / "shop.toml")]
        command += ["--home", str(tmp_path / "home"), "--port", str(port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"airflow: port {port} is taken; choose another with --port (make airflow PORT=N)\n"
