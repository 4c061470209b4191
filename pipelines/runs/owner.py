"""Which process holds a lease: told apart from every other one, on this machine, in a container or elsewhere.

Two containers may have one host name and equal process ids. So a process is asked for by its id only where that id
means the same process: after the same start of the kernel, in the same namespace of process ids.
"""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Owner:
    """One holder: a random token of its own, and what is known of its process (for people, and to see it dead)."""

    token: str
    host: str
    pid: int
    process_started: str | None
    kernel: str | None
    namespace: str | None

    @classmethod
    def new(cls) -> Owner:
        """Return an owner of this process, another at every call."""
        pid = os.getpid()
        return cls(uuid.uuid4().hex, socket.gethostname(), pid, _started(pid), _kernel(), _namespace())

    @classmethod
    def of(cls, lease: dict[str, Any]) -> Owner:
        """Return the owner that a lease names; of leases of earlier versions less is known."""
        return cls(
            lease.get("token", ""),
            lease["host"],
            int(lease["pid"]),
            lease.get("process_started"),
            lease.get("kernel"),
            lease.get("namespace"),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @property
    def is_dead(self) -> bool:
        """Whether its process is known to be gone; False where it cannot be seen from here."""
        if self.kernel is None or self.namespace is None:
            return False
        if (self.kernel, self.namespace) != (_kernel(), _namespace()):
            return False
        return not _lives(self.pid, self.process_started)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def person() -> str:
    """Return who is at work here, as logs name it: user@host."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def _kernel() -> str | None:
    """Return what names this start of this machine's kernel."""
    return _first_line("/proc/sys/kernel/random/boot_id")


def _namespace() -> str | None:
    """Return what names the namespace in which this process has its id."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def _first_line(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.readline().strip()
    except OSError:
        return None


def _started(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None


def _lives(pid: int, started: str | None) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return started is None or _started(pid) == started
