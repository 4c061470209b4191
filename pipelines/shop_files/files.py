"""Files that are not on a disk: as they were when they were found, with what is asked of them as `pathlib` names it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, override

from pipelines.store import Store


@dataclass(frozen=True)
class RemoteFile(ABC):
    """A file of a cloud, or one that was fetched; `checksum` tells its bytes from others', `modified_at` in seconds."""

    uri: str
    size_bytes: int
    checksum: str
    modified_at: float

    @property
    def path(self) -> PurePosixPath:
        """What its name and endings are taken from."""
        return PurePosixPath(self.uri)

    @property
    def name(self) -> str:
        """The last part of its name."""
        return self.path.name

    @property
    def suffix(self) -> str:
        """The last ending of its name, with its dot."""
        return self.path.suffix

    @property
    def suffixes(self) -> list[str]:
        """The endings of its name."""
        return self.path.suffixes

    @property
    def fingerprint(self) -> str:
        """What changes when the file changes."""
        return f"{self.size_bytes}-{self.checksum}"

    def __str__(self) -> str:
        return self.uri

    def open(self, mode: str = "rb") -> BinaryIO:
        """Return its bytes. Raises UnavailableError, StageError or StoreError when they cannot be had."""
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: a file is read as bytes, 'rb'")
        return self._opened()

    @abstractmethod
    def _opened(self) -> BinaryIO: ...


@dataclass(frozen=True)
class KeptFile(RemoteFile):
    """A file behind an address, as it was fetched into a store.

    `place` names this content of it: it is another one once the content is, and sorts behind the one before.
    """

    place: str
    store: Store
    object: str

    @property
    @override
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.place)

    @override
    def _opened(self) -> BinaryIO:
        return self.store.open(self.object)


File = Path | RemoteFile
"""A file that is there."""
