"""A PostgreSQL of the tests' own, with a database for each test."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tools.local_postgres import DATABASE, Postgres, PostgresError

_NUMBERS = count()


class Server:
    """A server that can be ended and started again."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, with what it held before."""
        self._process = self._postgres.start()

    def end(self) -> None:
        """End it, without waiting for those who are connected."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def database(self) -> str:
        """Make a database; return its address as a config has it."""
        name = f"judge{next(_NUMBERS)}"
        where = f"host={self._postgres.folder} user={DATABASE} dbname={DATABASE}"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{DATABASE}@/{name}?host={self._postgres.folder}"


@contextmanager
def serving() -> Iterator[Server]:
    """Give a server while the context lasts; the test is skipped where no PostgreSQL is installed."""
    folder = Path(tempfile.mkdtemp(prefix="visual-search-"))  # a socket's path is short, and another user must enter
    folder.chmod(0o755)
    try:
        postgres = Postgres(folder / "server")
    except PostgresError as error:
        shutil.rmtree(folder)
        pytest.skip(str(error))
    server = Server(postgres)
    try:
        yield server
    finally:
        server.end()
        shutil.rmtree(folder)
