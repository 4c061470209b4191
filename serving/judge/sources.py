"""Where the photos of a task may lie: with the shop, as originals in the store, or prepared for its releases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.config import Config
from pipelines.judge.task import Shown, Task
from pipelines.releases.release import BrokenReleaseError, read_release
from pipelines.shop_files.fetch import Fetcher, FetchError
from pipelines.store import NotFoundError, Store, UnitTable
from pipelines.store.units import Place
from pipelines.tables.schemas import DIGEST
from serving.release.photos import PreparedPhotos, thumbnail
from transforms.thumbnail import shrink

READERS: Final = 16
"""Files of keys that are read at once."""


class ShopPhotos:
    """The shop's own photos that are files or objects of a bucket; those behind addresses are not asked for."""

    def __init__(self, config: Config) -> None:
        self._fetcher = Fetcher.of_catalogue(config)

    def find(self, shown: Shown) -> bytes | None:
        """Return a photo's bytes, None where it is not there or is another one by now.

        Raises StageError and StoreError where a bucket cannot be asked.
        """
        if not shown.image_uri or self._fetcher.address(shown.image_uri) is not None:
            return None
        try:
            data = self._fetcher.fetch(shown.image_uri)
        except FetchError:
            return None
        return data if hashlib.sha256(data).hexdigest() == shown.digest else None


class Originals:
    """The photos of one task that the store keeps as they came."""

    def __init__(self, store: Store, task: Task) -> None:
        self._table = UnitTable(store, "originals")
        wanted = pa.array([bytes.fromhex(digest) for digest in task.by_digest], DIGEST)
        with ThreadPoolExecutor(READERS, "originals") as pool:
            units = pool.map(lambda unit: list(self._places(unit, wanted)), self._table.unit_ids())
            self._found = {digest: place for unit in units for digest, place in unit}

    def find(self, digest: str) -> bytes | None:
        """Return a photo's bytes, None of one that is not kept. Raises StoreError where it cannot be read."""
        place = self._found.get(bytes.fromhex(digest))
        if place is None:
            return None
        try:
            row = self._table.read_rows(place[0], [place[1]]).to_pylist()[0]
        except NotFoundError:
            return None
        data: bytes | None = row["original"]
        return data if row["digest"] is not None and row["digest"].hex() == digest else None

    def _places(self, unit: str, wanted: pa.Array) -> Iterator[tuple[bytes, Place]]:
        keys = self._table.read_keys(unit)
        for row in keys.filter(pc.is_in(keys["digest"], wanted)).to_pylist():
            yield row["digest"], (unit, row["row"])


class ReleasePhotos:
    """The prepared photos of a task's two releases.

    Where these are prepared in different sizes all are shown in the smaller one, or a photo would tell whose it is.
    """

    def __init__(self, store: Store, task: Task) -> None:
        both = (_opened(store, judged.release_id) for judged in (task.first, task.second))
        self._both = [photos for photos in both if photos is not None]
        self._side = min((max(photos.spec.height, photos.spec.width) for photos in self._both), default=0)

    def find(self, digest: str) -> bytes | None:
        """Return a photo as a JPEG without a canvas, None of one that neither has. Raises StoreError."""
        for photos in self._both:
            try:
                found = photos.find(bytes.fromhex(digest))
            except NotFoundError:
                continue
            if found is not None:
                return shrink(thumbnail(found, photos.spec), self._side)
        return None


def _opened(store: Store, release_id: str) -> PreparedPhotos | None:
    """Return the prepared photos of a release, None of one that is gone."""
    try:
        return PreparedPhotos.open(store, read_release(store, release_id))
    except BrokenReleaseError:
        return None
