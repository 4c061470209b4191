"""A release in memory, and who still uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache

from pipelines.curated import NOTHING_CURATED, Curated
from pipelines.releases.release import Release
from serving.release.engine import Engine
from serving.release.photos import PreparedPhotos, thumbnail

THUMBNAILS = 2048
"""How many thumbnails are kept in memory, of some kilobytes each."""


class LoadedRelease:
    """One release that answers. It is closed once it is retired and the last query that it has has ended.

    Uses are counted on the event loop's thread alone, so that no lock is needed.
    """

    def __init__(
        self, release: Release, engine: Engine, photos: PreparedPhotos | None, needed_bytes: int, seconds: float
    ) -> None:
        self.release, self.engine, self.photos = release, engine, photos
        self.needed_bytes, self.seconds = needed_bytes, seconds
        self.loaded_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.hidden: frozenset[str] = frozenset()
        self.hidden_photos: frozenset[bytes] = frozenset()
        self.curated = NOTHING_CURATED
        self._thumbnails = lru_cache(THUMBNAILS)(self._thumbnail)
        self._uses = 0
        self._close: Callable[[LoadedRelease], None] | None = None

    @property
    def release_id(self) -> str:
        """The release's id, which every answer carries."""
        return self.release.release_id

    @property
    def uses(self) -> int:
        """How many queries it has at the moment."""
        return self._uses

    def hide(self, item_ids: frozenset[str]) -> None:
        """Find these items no more, nor show the photos that are theirs alone; those hidden before are shown again."""
        self.engine.hide(item_ids)
        self.hidden_photos = self.engine.hidden_photos(item_ids) if item_ids else frozenset()
        self.hidden = item_ids

    def curate(self, curated: Curated) -> None:
        """Show what curators say is not alike not for one another."""
        self.engine.keep_apart(curated.apart)
        self.curated = curated

    def thumbnail(self, digest: bytes) -> bytes | None:
        """Return one of its photos in small, a JPEG; None of one that it does not have or show. Raises StoreError."""
        return None if digest in self.hidden_photos else self._thumbnails(digest)

    def _thumbnail(self, digest: bytes) -> bytes | None:
        found = None if self.photos is None else self.photos.find(digest)
        return None if found is None or self.photos is None else thumbnail(found, self.photos.spec)

    @contextmanager
    def in_use(self) -> Iterator[LoadedRelease]:
        """Keep it open for one query."""
        self._uses += 1
        try:
            yield self
        finally:
            self._uses -= 1
            self._close_if_done()

    def retire(self, close: Callable[[LoadedRelease], None]) -> None:
        """Have `close` called with it, now or when its last query ends; it gets no new ones."""
        self._close = close
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._close is not None and not self._uses:
            close, self._close = self._close, None
            close(self)
