"""A store that is no folder of this machine, as a bucket is: made of one, and down when a test wants it to be."""

from __future__ import annotations

import builtins
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, override

from pipelines.store import Entry, Store, UnavailableError
from pipelines.store.folder import FolderStore


class FarStore(Store):
    """`opened` are the names that were read, `is_down` fails every call."""

    def __init__(self, root: Path, uri: str = "gs://far/store") -> None:
        self._folder, self.uri = FolderStore(root), uri
        self.opened: builtins.list[str] = []
        self.is_down = False

    def _up(self) -> FolderStore:
        if self.is_down:
            raise UnavailableError(f"cannot read {self.uri}: 503; run again, what was done stays done")
        return self._folder

    @override
    def check(self) -> None:
        self._up().check()

    @override
    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()

    @override
    def open(self, name: str) -> BinaryIO:
        stream = self._up().open(name)
        self.opened.append(name)
        return stream

    @override
    def create(self, name: str, data: bytes) -> bool:
        return self._up().create(name, data)

    @override
    def create_from(self, name: str, path: Path) -> bool:
        return self._up().create_from(name, path)

    @override
    def put(self, name: str, data: bytes) -> None:
        self._up().put(name, data)

    @override
    def swap(self, name: str, expected: bytes | None, data: bytes | None) -> bool:
        return self._up().swap(name, expected, data)

    @override
    def exists(self, name: str) -> bool:
        return self._up().exists(name)

    @override
    def list(self, prefix: str) -> Iterator[Entry]:
        yield from self._up().list(prefix)

    @override
    def folders(self, prefix: str) -> builtins.list[str]:
        return self._up().folders(prefix)

    @override
    def delete(self, name: str) -> None:
        self._up().delete(name)

    @override
    @contextmanager
    def stage_in(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder, self._up().stage_in(name) as path:
            yield Path(shutil.copytree(path, Path(folder, "copy")))
