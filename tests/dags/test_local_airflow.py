"""`make airflow`: a real scheduler on loopback alone, one login, nothing left behind. Run by `make test-airflow`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import DAGS
from tests.gcs.emulator import free_port
from tools.local_airflow import descendants

ROOT = DAGS.parent

pytestmark = pytest.mark.slow


def ask(port: int, path: str, value: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


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


@pytest.mark.timeout(400)
def test_it_listens_on_loopback_alone_and_leaves_nothing_behind(tmp_path: Path) -> None:
    config, port = tmp_path / "shop.toml", free_port()
    config.touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, "-m", "tools.local_airflow", "--config", str(config)]
    command += ["--home", str(tmp_path / "home"), "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == (
                f"Airflow: http://127.0.0.1:{port}  (user admin, password admin; Ctrl-C stops it)\n"
            )
            family = descendants(process.pid)
            assert len(family) >= 4
            assert listening(family) <= {"0100007F", "00000000000000000000000001000000"}
            token = ask(port, "/auth/token", {"username": "admin", "password": "admin"})["access_token"]
            until = time.monotonic() + 120
            while len(ask(port, "/api/v2/dags", token=token)["dags"]) < 4:
                assert time.monotonic() < until
                time.sleep(1)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.terminate()
                raise
        assert process.returncode == 0
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
