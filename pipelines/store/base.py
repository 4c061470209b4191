"""The interface of a store: what a folder and a bucket have in common.

Names are relative POSIX paths. Objects are created once and never overwritten. The exceptions are `put`, for what a
single running stage owns (what its jobs find) and for what is erased, and `swap`, for what changes hands (leases).
"""

from __future__ import annotations

import builtins
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

BLOCK_BYTES = 1 << 20


class StoreError(Exception):
    """A store cannot do what it was asked; the message names the object, the value and the fix."""


class UnusableError(StoreError):
    """No store can be kept in this place."""


class NotFoundError(StoreError):
    """There is no object of that name."""


class UnavailableError(StoreError):
    """A store does not answer as it should, now; the same may succeed later."""


@dataclass(frozen=True)
class Entry:
    """One object of a listing: its name, its size in bytes and when it was last written (seconds since 1970)."""

    name: str
    size_bytes: int
    modified_at: float


def check_name(name: str) -> str:
    """Return a relative name as it is. Raises StoreError for a name that would leave the store."""
    if not name or name.startswith("/") or any(part in {"", ".", ".."} for part in name.split("/")):
        raise StoreError(f"{name!r} is not a name inside a store; use relative names without empty or dotted parts")
    return name


class Store(ABC):
    """A place that keeps immutable objects under relative names."""

    uri: str

    @abstractmethod
    def check(self) -> None:
        """Raise UnusableError when the place cannot keep a store, StoreError when nothing can be written now."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the whole object. Raises NotFoundError."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Open the object for reading, seekable. Raises NotFoundError."""

    @abstractmethod
    def create(self, name: str, data: bytes) -> bool:
        """Create the object whole or not at all; return False when the name is taken (it stays as it is)."""

    @abstractmethod
    def create_from(self, name: str, path: Path) -> bool:
        """Create the object from a local file, whole or not at all; return False when the name is taken."""

    @abstractmethod
    def put(self, name: str, data: bytes) -> None:
        """Create or replace the object atomically; only for what one running stage owns, and for erasing."""

    @abstractmethod
    def swap(self, name: str, expected: bytes | None, data: bytes | None) -> bool:
        """Replace the object if it holds `expected` (None: if there is none); return False when it does not.

        `data` None deletes it. Of any number of callers that expect the same bytes, one succeeds. The bytes must tell
        their writer, so that one whose answer was lost knows its own. A name that is swapped is never `put` or created.
        """

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Tell whether there is an object of that name."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield the objects below a folder name, in no particular order; hidden temporary files are left out."""

    @abstractmethod
    def folders(self, prefix: str) -> builtins.list[str]:
        """Return the sorted names of the folders directly below a folder name."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete the object; deleting what is not there is no error."""

    @abstractmethod
    def stage_in(self, name: str) -> AbstractContextManager[Path]:
        """Give a local path of an object or of a whole folder, for libraries that see local paths only."""

    def stage_out(self, folder: Path, name: str) -> None:
        """Create one object for every file below a local folder; what is there already stays."""
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            self.create_from(f"{name}/{path.relative_to(folder).as_posix()}", path)

    def sha256(self, name: str) -> str:
        """Return the sha256 (hex) of an object's bytes, read in blocks. Raises NotFoundError."""
        digest = hashlib.sha256()
        with self.open(name) as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def read_json(self, name: str) -> Any:
        """Return a JSON object's value. Raises NotFoundError, and StoreError when it is no JSON."""
        try:
            return json.loads(self.read(name))
        except ValueError as error:
            raise StoreError(f"{self.uri}/{name} is not valid JSON ({error}); restore it or remove it") from error

    def create_json(self, name: str, value: Any) -> bool:
        """Create an object holding the value as JSON with sorted keys; return False when the name is taken."""
        return self.create(name, json.dumps(value, indent=1, sort_keys=True).encode())
