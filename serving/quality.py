"""The weakest matches of the release that answers, found once it is asked for them."""

from __future__ import annotations

import asyncio

from pipelines.config import Config
from pipelines.hidden import read_hidden
from pipelines.quality.findings import Weakest
from pipelines.quality.weakest import find_weakest
from pipelines.releases.release import read_release
from pipelines.store import Store
from serving.release.loaded import LoadedRelease

MOST = 500
"""Of each kind: some of them people have decided already."""


class Quality:
    """Remembers what was found of the last release that was asked for."""

    def __init__(self, config: Config, store: Store) -> None:
        self._roles, self._store = tuple(sorted(config.index.roles)), store
        self._found: Weakest | None = None
        self._finding = asyncio.Lock()

    async def of(self, loaded: LoadedRelease, limit: int) -> Weakest:
        """Return what of a release nobody has decided yet, up to a limit of each kind. Raises StoreError."""
        async with self._finding:
            if self._found is None or self._found.release_id != loaded.release_id:
                self._found = await asyncio.to_thread(self._find, loaded)
        return self._found.undecided(loaded.curated, limit, loaded.hidden)

    def _find(self, loaded: LoadedRelease) -> Weakest:
        release = read_release(self._store, loaded.release_id)  # an erasure has changed what its manifest names
        return find_weakest(self._store, release, self._roles, read_hidden(self._store), MOST)
