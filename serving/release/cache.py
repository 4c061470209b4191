"""Releases of a bucket on this machine's disk: objects whose bytes are those that the manifest's checksums say.

The copies lie under the names that the store has them by, so that a release is opened from them as from a store. What
was fetched is never fetched again, and a release that is here is loaded though the bucket does not answer. A process
that is killed leaves nothing that is taken for whole: what is there is compared with its checksum before it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from pipelines.curated import Curated
from pipelines.releases.release import BrokenReleaseError, Reference, Release, read_release, release_name
from pipelines.store import NotFoundError, Store
from pipelines.store.base import BLOCK_BYTES
from pipelines.store.folder import TEMPORARY_PREFIX, FolderStore
from pipelines.store.overlay import Overlay

LAST, HIDDEN, CURATED = "last_live.json", "hidden.json", "curated.json"
THREADS = 8
"""How many objects are fetched at once."""
ABANDONED_S = 3600.0
"""After so long a half-fetched object is that of a process that was killed."""


class ReleaseCache:
    """The copies of one store's releases below a folder, which several processes may share."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._kept = FolderStore(folder / hashlib.sha256(store.uri.encode()).hexdigest()[:12])
        self._kept.sweep_temporary(ABANDONED_S, time.time())

    @property
    def folder(self) -> Path:
        """Where the copies of this store's releases lie."""
        return self._kept.root

    def read_release(self, release_id: str) -> Release:
        """Return a release's manifest: the copy, for a manifest never changes. Raises BrokenReleaseError."""
        with suppress(BrokenReleaseError):
            return read_release(self._kept, release_id)
        return read_release(self._store, release_id)

    def take(self, release: Release) -> Store:
        """Fetch what is not here of a release; return the store in which its own objects are these copies.

        Raises BrokenReleaseError where an object is gone or has other bytes than the manifest says.
        """
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda reference: self._take(release, reference), release.references()):
                pass
        self._copy(_catalogue_entry(release))
        self._copy(release_name(release.release_id))  # last: a manifest that is here has all its parts here
        return Overlay(self._store, self._kept)

    def remember(self, number: int, release_id: str) -> None:
        """Note what is live, for a start while the bucket does not answer."""
        self._kept.put(LAST, json.dumps({"number": number, "release_id": release_id}).encode())

    def last(self) -> tuple[int, str] | None:
        """Return the number and the release that were live when the bucket last answered, or None."""
        try:
            value = self._kept.read_json(LAST)
        except NotFoundError:
            return None
        return int(value["number"]), str(value["release_id"])

    def remember_hidden(self, item_ids: frozenset[str]) -> None:
        """Note what is hidden, for the same."""
        self._kept.put(HIDDEN, json.dumps(sorted(item_ids)).encode())

    def hidden(self) -> frozenset[str] | None:
        """Return what was hidden when the bucket last answered, or None."""
        try:
            return frozenset(self._kept.read_json(HIDDEN))
        except NotFoundError:
            return None

    def remember_curated(self, curated: Curated) -> None:
        """Note what curators have decided, for the same."""
        self._kept.put(CURATED, curated.as_json())

    def curated(self) -> Curated | None:
        """Return what curators had decided when the bucket last answered, or None."""
        try:
            return Curated.of_json(self._kept.read(CURATED))
        except (NotFoundError, ValueError):
            return None

    def evict(self, keep: Collection[str]) -> list[str]:
        """Remove the releases that are not to be kept, and what no other one has; return their ids."""
        gone = [release_id for release_id in self._kept.folders("releases") if release_id not in keep]
        for release_id in gone:
            self._kept.delete(release_name(release_id))
        needed = {folder for release in self._here() for folder in release.folders()}
        for kind in ("models", "indexes"):
            for name in self._kept.folders(kind):
                if f"{kind}/{name}" not in needed:
                    for entry in list(self._kept.list(f"{kind}/{name}")):
                        self._kept.delete(entry.name)
        return gone

    def _here(self) -> Iterator[Release]:
        for release_id in self._kept.folders("releases"):
            yield read_release(self._kept, release_id)

    def _take(self, release: Release, reference: Reference) -> None:
        name, wanted = reference.name, reference.sha256
        with suppress(NotFoundError):
            if self._kept.sha256(name) == wanted:
                return
        try:
            found = self._fetch(name, wanted)
        except NotFoundError as error:
            raise BrokenReleaseError(
                f"release {release.release_id} needs {self._store.uri}/{name}, which is gone"
            ) from error
        if found != wanted:
            raise BrokenReleaseError(
                f"release {release.release_id}: {self._store.uri}/{name} has sha256 {found[:12]}…, the manifest says "
                f"{wanted[:12]}…; the object is damaged, build the release again"
            )

    def _copy(self, name: str) -> None:
        if name and not self._kept.exists(name):
            with suppress(NotFoundError):  # who needs it says so
                self._kept.create(name, self._store.read(name))

    def _fetch(self, name: str, wanted: str) -> str:
        """Fetch an object, keep it if its sha256 is what is wanted, and return its sha256."""
        target, digest = self._kept.path(name), hashlib.sha256()
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"
        try:
            with self._store.open(name) as source, temporary.open("wb") as sink:
                while block := source.read(BLOCK_BYTES):
                    digest.update(block)
                    sink.write(block)
                sink.flush()
                os.fsync(sink.fileno())
            if digest.hexdigest() == wanted:
                temporary.replace(target)
            return digest.hexdigest()
        finally:
            temporary.unlink(missing_ok=True)


def _catalogue_entry(release: Release) -> str:
    """Return the name of the catalogue's log entry, which says what categories are retired; "" where none is named."""
    return f"catalogue/log/{release.catalogue_number:08d}.json" if release.catalogue_number else ""
