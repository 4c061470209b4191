"""The releases that are in memory: loaded one after another in a thread.

None of them finds what is hidden, nor shows an item for another that curators keep it from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from pipelines.curated import Curated
from serving.metrics import Metrics
from serving.release import calm
from serving.release.hiding import Followed
from serving.release.loaded import LoadedRelease
from serving.release.loading import Loader


class Shelf:
    """Loads releases and closes them, each after its last query. Its methods are called on the event loop."""

    def __init__(
        self, loader: Loader, hiding: Followed[frozenset[str]], curating: Followed[Curated], metrics: Metrics
    ) -> None:
        self._loader, self._hiding, self._curating, self._metrics = loader, hiding, curating, metrics
        self._thread = ThreadPoolExecutor(1, "release")
        self._open: set[LoadedRelease] = set()
        self._coming = 0

    @property
    def num_releases(self) -> int:
        """How many are in memory, with those that are being loaded."""
        return len(self._open) + self._coming

    @property
    def release_ids(self) -> set[str]:
        """The releases that are in memory."""
        return {each.release_id for each in self._open}

    async def load(self, release_id: str) -> LoadedRelease:
        """Return a release that is loaded, finds nothing hidden, and keeps apart what curators do. Raises Refused."""
        hidden, curated = await self._hiding.known(), await self._curating.known()
        self._coming += 1
        try:
            loaded = await self.in_thread(self._loader.load, release_id)
            self._open.add(loaded)
        finally:
            self._coming -= 1
        self._metrics.open_releases.set(len(self._open))
        await self._hide_in(loaded, hidden)
        await self._curate_in(loaded, curated)
        return loaded

    async def look_for_hidden(self) -> None:
        """Have no release that is here find an item that is hidden, nor show one for another kept apart from it."""
        hidden, curated = await self._hiding.look(), await self._curating.look()
        for loaded in [*self._open]:
            if hidden is not None:
                await self._hide_in(loaded, hidden)
            if curated is not None:
                await self._curate_in(loaded, curated)

    def close(self, loaded: LoadedRelease) -> None:
        """Close a release after the last query that it has; it is to get no new ones."""
        loaded.retire(self._close)

    async def in_thread[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what may take long, after what was begun before it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args, **kwargs))

    def end(self) -> None:
        """Begin nothing any more."""
        self._thread.shutdown(wait=False)

    async def _hide_in(self, loaded: LoadedRelease, hidden: frozenset[str]) -> None:
        if hidden is not loaded.hidden:
            await asyncio.to_thread(loaded.hide, hidden)
        self._metrics.hidden.set(len(hidden))

    async def _curate_in(self, loaded: LoadedRelease, curated: Curated) -> None:
        if curated is not loaded.curated:
            await asyncio.to_thread(loaded.curate, curated)

    def _close(self, loaded: LoadedRelease) -> None:
        self._open.discard(loaded)
        self._metrics.open_releases.set(len(self._open))
        with suppress(RuntimeError):  # the service has ended, with the queries that it did not wait for
            self._thread.submit(loaded.engine.close)
            self._thread.submit(calm.give_back)
