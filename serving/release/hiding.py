"""What is hidden, followed: as the store tells it, as it last told it, or as the copies on disk remember it."""

from __future__ import annotations

import asyncio

from pipelines.store import StoreError
from pipelines.telemetry import logs
from serving.hidden import HiddenItems
from serving.release.cache import ReleaseCache
from serving.release.refusal import Refused

ANSWER_S = 5.0
"""How long a release that is loaded waits for the store to tell for the first time what is hidden."""


class Hiding:
    """Knows what is hidden. A release answers only once that is known, so that no start shows what was hidden."""

    def __init__(self, hidden: HiddenItems, cache: ReleaseCache | None) -> None:
        self._hidden, self._cache = hidden, cache
        self._known: frozenset[str] | None = None
        self._told = asyncio.Event()
        self.error = ""

    async def look(self) -> frozenset[str] | None:
        """Ask the store once; return what is hidden, the same set if nothing has changed, None if it is not known."""
        try:
            found = await asyncio.to_thread(lambda: self._hidden.item_ids)
        except StoreError as error:
            if not self.error:
                logs.warn(f"it cannot be read what is hidden ({error}); what was hidden stays hidden")
            self.error = str(error)
            return self._known
        self.error = ""
        if found is not self._known:
            self._known = found
            if self._cache is not None:
                await asyncio.to_thread(self._cache.remember_hidden, found)
        self._told.set()
        return found

    async def known(self) -> frozenset[str]:
        """Return what is hidden. Raises Refused where neither the store nor its copies tell."""
        try:
            async with asyncio.timeout(0 if self.error else ANSWER_S):
                await self._told.wait()
        except TimeoutError:
            if self._known is None and self._cache is not None:
                self._known = await asyncio.to_thread(self._cache.hidden)
        if self._known is None:
            raise Refused("hidden", self.error or "the store has not told which items are hidden")
        return self._known
