"""Run PostgreSQL for the Airflow of this machine: a folder of its own, one socket in it, no network at all.

Owns where its programs are found, the folder, and how it is started; `tools.local_airflow` ends it with all it starts.
PostgreSQL does not run as root: then it runs as the user `postgres`, whom the Debian package makes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Optional

DATABASE = "airflow"
READY_WITHIN_S = 60
_ROOM_FOR_NAME = 20  # of a socket's path, which may have 107 bytes


class PostgresError(RuntimeError):
    """PostgreSQL does not run; the message says why and what to do."""


class Postgres:
    """A PostgreSQL whose data and socket lie in `folder`, which is made when it is not there."""

    def __init__(self, folder: Path) -> None:
        if len(os.fsencode(folder)) > 107 - _ROOM_FOR_NAME:
            raise PostgresError(f"{folder} is too long a path for a socket; choose a shorter --home")
        self.folder, self.data = folder, folder / "data"
        self.programs = _programs()
        self.user = _user()

    @property
    def url(self) -> str:
        """Return the address of the database for SQLAlchemy."""
        return f"postgresql+psycopg2://{DATABASE}@/{DATABASE}?host={self.folder}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it has its database. Raises PostgresError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
        self.folder.chmod(0o700)
        if not (self.data / "PG_VERSION").exists():
            self._run(
                "initdb", "--pgdata", str(self.data), "--username", DATABASE, "--auth", "trust", "--encoding", "UTF8"
            )
        log = self.folder / "server.log"
        options = [f"unix_socket_directories={self.folder}", "listen_addresses=", "unix_socket_permissions=0700"]
        command = [str(self.programs / "postgres"), "-D", str(self.data)]
        command += [word for option in options for word in ("-c", option)]
        with log.open("ab") as stream:
            server = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True, **self._as_user())
        until = time.monotonic() + READY_WITHIN_S
        while self._call("pg_isready", "--host", str(self.folder)).returncode:
            if server.poll() is not None or time.monotonic() > until:
                raise PostgresError(f"PostgreSQL does not come up; see {log}")
            time.sleep(0.2)
        there = self._call("psql", *self._at(), "--dbname", DATABASE, "--command", "SELECT 1").returncode == 0
        if not there:
            self._run("createdb", *self._at(), DATABASE)
        return server

    def _at(self) -> list[str]:
        return ["--host", str(self.folder), "--username", DATABASE]

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.programs / program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **self._as_user())

    def _run(self, program: str, *arguments: str) -> None:
        done = self._call(program, *arguments)
        if done.returncode:
            raise PostgresError(f"`{program}` failed: {done.stderr.strip()}")

    def _as_user(self) -> dict[str, Any]:
        return {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}


def _programs() -> Path:
    """Return the folder of the newest PostgreSQL's programs. Raises PostgresError when there is none."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise PostgresError("there is no PostgreSQL on this machine; install it: apt-get install postgresql")
    return found[-1].parent


def _user() -> Optional[str]:
    """Return whom the server runs as, None for this user."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError as error:
        raise PostgresError("PostgreSQL does not run as root, and there is no user `postgres`; make one") from error
