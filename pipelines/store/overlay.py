"""A store that is looked at and not touched: what is written lies in a folder above it, and goes with that."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, override

from pipelines.store.base import Entry, NotFoundError, Store, StoreError
from pipelines.store.folder import FolderStore


class Overlay(Store):
    """A store of which the objects below are read, and new ones are written to a folder; one process's alone."""

    def __init__(self, below: Store, above: FolderStore) -> None:
        self._below, self._above = below, above
        self.uri = below.uri

    def __reduce__(self) -> tuple[type[Overlay], tuple[Store, FolderStore]]:
        return Overlay, (self._below, self._above)

    @override
    def check(self) -> None:
        self._above.check()

    @override
    def read(self, name: str) -> bytes:
        try:
            return self._above.read(name)
        except NotFoundError:
            return self._below.read(name)

    @override
    def open(self, name: str) -> BinaryIO:
        try:
            return self._above.open(name)
        except NotFoundError:
            return self._below.open(name)

    @override
    def create(self, name: str, data: bytes) -> bool:
        return not self._below.exists(name) and self._above.create(name, data)

    @override
    def create_from(self, name: str, path: Path) -> bool:
        return not self._below.exists(name) and self._above.create_from(name, path)

    @override
    def put(self, name: str, data: bytes) -> None:
        self._above.put(name, data)

    @override
    def swap(self, name: str, expected: bytes | None, data: bytes | None) -> bool:
        try:
            found: bytes | None = self.read(name)
        except NotFoundError:
            found = None
        if found != expected:
            return False
        if data is None:
            self.delete(name)
        else:
            self._above.put(name, data)
        return True

    @override
    def exists(self, name: str) -> bool:
        return self._above.exists(name) or self._below.exists(name)

    @override
    def list(self, prefix: str) -> Iterator[Entry]:
        above = {entry.name: entry for entry in self._above.list(prefix)}
        yield from above.values()
        yield from (entry for entry in self._below.list(prefix) if entry.name not in above)

    @override
    def folders(self, prefix: str) -> builtins.list[str]:
        return sorted({*self._above.folders(prefix), *self._below.folders(prefix)})

    @override
    def delete(self, name: str) -> None:
        """Delete what was written. Raises StoreError for an object below, which stays."""
        self._above.delete(name)
        if self._below.exists(name):
            raise StoreError(f"{self.uri}/{name} is only looked at, and cannot be deleted here")

    @override
    def stage_in(self, name: str) -> AbstractContextManager[Path]:
        is_above = self._above.exists(name) or next(iter(self._above.list(name)), None) is not None
        return (self._above if is_above else self._below).stage_in(name)
