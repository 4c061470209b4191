"""One service: all that its requests share, and what they ask of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.store import Store
from pipelines.store.folder import FolderStore
from pipelines.telemetry import logs
from serving.batching import Batcher
from serving.curated import CuratedLog
from serving.hidden import HiddenItems, HiddenLog
from serving.judge.desk import Desk
from serving.keys import Keys, NoKeys
from serving.metrics import Metrics
from serving.problems import retry_after
from serving.quality import Quality
from serving.release.beside import Beside
from serving.release.cache import ReleaseCache
from serving.release.follow import Follower
from serving.release.hiding import Copies, Followed
from serving.release.loaded import LoadedRelease
from serving.release.loading import Loader
from serving.release.shelf import Shelf
from serving.uploads import Bounds, UploadMemory


class Service:
    """A service over one store. Made before the event loop runs, started and ended on it."""

    def __init__(
        self, config: Config, store: Store, keys: Keys | None = None, hidden: HiddenItems | None = None
    ) -> None:
        settings, cores = config.serving, len(os.sched_getaffinity(0))
        self.config, self.store, self.keys = config, store, keys or NoKeys()
        if settings.curators and not self.keys.any_curator:
            raise StageError(
                "serving.curators = true, and no key is a curator's: add curator = true to one in the file of keys"
            )
        self.metrics = Metrics()
        self.bounds = Bounds(config.preprocess.max_bytes, settings.max_photos, settings.body_s)
        self.upload_memory = UploadMemory(settings.upload_bytes)
        cache = None if isinstance(store, FolderStore) else ReleaseCache(store, cache_folder(config))
        gone, curated = hidden or HiddenLog(store), CuratedLog(store)
        copies = Copies(cache.remember_hidden, cache.hidden) if cache else None
        self.hiding = Followed("hidden", lambda: gone.item_ids, copies)
        decided = Copies(cache.remember_curated, cache.curated) if cache else None
        self.curating = Followed("curated", lambda: curated.curated, decided)
        self.shelf = Shelf(Loader(config, store, cache), self.hiding, self.curating, self.metrics)
        self.beside = Beside(store, self.shelf, settings.compare_idle_s)
        self.follower = Follower(
            store,
            self.shelf,
            cache,
            self.metrics,
            self.beside.give_way,
            poll_s=settings.poll_s,
            budget_bytes=settings.memory_bytes,
            cached_releases=settings.cached_releases,
        )
        self.batcher = Batcher(
            self.metrics, batch=settings.batch, wait_s=settings.wait_ms / 1000, queue=settings.queue, cores=cores
        )
        self.quality = Quality(config, store)
        self.desk = Desk(config, store)
        self.is_draining = False
        self._deadline_s = settings.deadline_ms / 1000

    async def start(self) -> None:
        """Begin to follow the live log and to take batches; returns before a release is loaded."""
        self.batcher.start()
        self._following = asyncio.create_task(self.follower.run())

    async def stop(self) -> None:
        """End, after the last request."""
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            await self._following
        self.beside.close()
        await self.follower.close()
        self.shelf.end()
        self.batcher.close()
        self.desk.close()
        logs.say("the service has ended")

    @contextmanager
    def answering(self) -> Iterator[LoadedRelease]:
        """Give the release that answers now, and keep it for the query. Raises Problem where there is none yet."""
        loaded = self.follower.current
        if loaded is None:
            raise retry_after("not_ready", self._why_not_ready(), self.config.serving.poll_s)
        with loaded.in_use():
            yield loaded

    def _why_not_ready(self) -> str:
        if self.follower.failure is not None:
            return str(self.follower.failure.refused)
        if self.follower.nothing_live:
            return "nothing was promoted yet: `visual-search run` does all stages"
        return self.follower.store_error or "the service is starting: its release is being loaded"

    @asynccontextmanager
    async def answering_by(self, release_id: str | None) -> AsyncIterator[LoadedRelease]:
        """Give a release that is kept, which is loaded if it is not in memory; None for the one that answers.

        Raises Problem until it is loaded, or where it cannot be.
        """
        current = self.follower.current
        if release_id is None or current is None or release_id == current.release_id:
            with self.answering() as loaded:
                yield loaded
        else:
            beside = await self.beside.take(release_id)
            with beside.in_use():
                yield beside

    @contextmanager
    def compared_or(self, current: LoadedRelease) -> Iterator[LoadedRelease]:
        """Give the release that is in memory to be compared, else the one that answers."""
        with (self.beside.loaded or current).in_use() as loaded:
            yield loaded

    def deadline(self) -> float:
        """Return until when a query that begins now must be answered (monotonic seconds)."""
        return time.monotonic() + self._deadline_s

    async def thumbnail(self, loaded: LoadedRelease, digest: bytes) -> bytes | None:
        """Return a photo of the release in small, a JPEG; None of one that it does not have. Raises StoreError."""
        return await asyncio.to_thread(loaded.thumbnail, digest)


def cache_folder(config: Config) -> Path:
    """Return where copies of releases lie: `serving.cache`, else this user's folder for such things."""
    if config.serving.cache is not None:
        return Path(config.locate(config.serving.cache))
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "visual-search", "releases").expanduser()
