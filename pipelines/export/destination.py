"""Where an export goes: a folder or a bucket's prefix of its own, whole once its manifest is there.

`export.json` is written first and says whose it is; the parts follow, each once; `manifest.json` is last. One that was
stopped goes on where it was: parts that are there stay.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

from pipelines.errors import StageError
from pipelines.store import NotFoundError, Store, open_store
from pipelines.store.opening import FORMAT_NAME

BEGUN, MANIFEST = "export.json", "manifest.json"


class Destination:
    """A place that an export is written to. `whose` names the release, the format and its version."""

    def __init__(self, place: Store, whose: dict[str, Any]) -> None:
        self.uri, self._place, self._whose = place.uri, place, whose
        self.files: list[dict[str, Any]] = []

    @classmethod
    def open(cls, uri: str, whose: dict[str, Any]) -> Destination:
        """Take a place that is empty, or holds this very export. Raises StageError for any other."""
        place = open_store(uri)
        if place.exists(FORMAT_NAME):
            raise StageError(f"{place.uri} is a store; an export needs a folder of its own")
        try:
            there = place.read_json(BEGUN)
        except NotFoundError as error:
            if next(iter(place.list("")), None) is not None:
                raise StageError(f"{place.uri} holds other files already; an export needs an empty folder") from error
            place.create_json(BEGUN, whose)
            there = place.read_json(BEGUN)
        if there != whose:
            said = ", ".join(f"{name} {value}" for name, value in sorted(there.items()))
            raise StageError(f"{place.uri} holds another export ({said}); choose another folder, or remove that one")
        return cls(place, whose)

    def manifest(self) -> dict[str, Any] | None:
        """Return the manifest of an export that is whole, or None."""
        try:
            found: dict[str, Any] = self._place.read_json(MANIFEST)
        except NotFoundError:
            return None
        return found

    def add(self, name: str, rows: int, make: Callable[[], bytes]) -> None:
        """Write one file, unless it is there; note its rows, its size and its sha256."""
        if self._place.exists(name):
            data = self._place.read(name)
        else:
            data = make()
            self._place.create(name, data)
        self.files.append({"name": name, "rows": rows, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})

    def finish(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Write the manifest and return it, and remove what killed writers left half-written."""
        manifest = {**self._whose, **facts, "files": sorted(self.files, key=lambda file: file["name"])}
        self._place.create_json(MANIFEST, manifest)
        sweep_temporary = getattr(self._place, "sweep_temporary", None)  # a bucket has none
        if sweep_temporary is not None:
            sweep_temporary(0.0, time.time())
        return manifest
