"""What the store says of items beside its releases, followed: as it tells it, last told it, or as copies have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.store import StoreError
from pipelines.telemetry import logs
from serving.release.refusal import REASONS, Refused

ANSWER_S = 5.0
"""How long a release that is loaded waits for the store to tell for the first time what there is to know."""


@dataclass(frozen=True)
class Copies[T]:
    """How what was told is kept on this machine's disk, for a start while the bucket does not answer."""

    remember: Callable[[T], None]
    recall: Callable[[], T | None]


class Followed[T]:
    """Knows what a log says. A release answers only once that is known, so that no start shows what it must not."""

    def __init__(self, reason: str, ask: Callable[[], T], copies: Copies[T] | None) -> None:
        """Take the `reason` for which a release is refused while nothing is known, and what asks the store."""
        self._reason, self._ask, self._copies = reason, ask, copies
        self._known: T | None = None
        self._told = asyncio.Event()
        self.error = ""

    async def look(self) -> T | None:
        """Ask the store once; return what it says, the same object if nothing has changed, None if it is not known."""
        try:
            found = await asyncio.to_thread(self._ask)
        except StoreError as error:
            if not self.error:
                logs.warn(f"{REASONS[self._reason]} ({error}); what was known is kept to")
            self.error = str(error)
            return self._known
        self.error = ""
        if found is not self._known:
            self._known = found
            if self._copies is not None:
                await asyncio.to_thread(self._copies.remember, found)
        self._told.set()
        return found

    async def known(self) -> T:
        """Return what is known. Raises Refused where neither the store nor its copies tell."""
        try:
            async with asyncio.timeout(0 if self.error else ANSWER_S):
                await self._told.wait()
        except TimeoutError:
            if self._known is None and self._copies is not None:
                self._known = await asyncio.to_thread(self._copies.recall)
        if self._known is None:
            raise Refused(self._reason, self.error or f"{REASONS[self._reason]}: the store has not answered")
        return self._known
