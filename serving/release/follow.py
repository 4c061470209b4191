"""The live log, followed: what is promoted or rolled back to is loaded beside what answers, and takes its place.

Runs on the event loop; what takes time runs in the shelf's thread, which loads one release at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipelines.releases.history import read_history
from pipelines.releases.live import PREFIX
from pipelines.store import Log, Store, StoreError, UnavailableError
from pipelines.telemetry import logs
from serving.metrics import Metrics
from serving.release.cache import ReleaseCache
from serving.release.loaded import LoadedRelease
from serving.release.memory import available_bytes
from serving.release.refusal import REASONS, Refused
from serving.release.shelf import Shelf

LONGEST_PAUSE_S = 60.0
"""How long it takes at most until a release that could not be loaded is tried again."""
ANSWER_S = 5.0
"""After so long without an answer a store is taken to be silent."""
EARLIER = 3
"""How many releases a process that starts goes back to look for one that can be loaded."""


@dataclass(frozen=True)
class Live:
    """The head of the live log."""

    number: int
    release_id: str


@dataclass(frozen=True)
class Failure:
    """What is live and could not be loaded: why, how often it was tried, and when it may be tried again."""

    live: Live
    refused: Refused
    attempts: int
    again_at: float


class Follower:
    """Holds the release that answers, and exchanges it for the one that is live."""

    def __init__(
        self,
        store: Store,
        shelf: Shelf,
        cache: ReleaseCache | None,
        metrics: Metrics,
        make_room: Callable[[], Awaitable[None]],
        *,
        poll_s: float,
        budget_bytes: int | None = None,
        cached_releases: int = 3,
    ) -> None:
        """Have `make_room` close what is in memory beside the release that answers, before another is loaded."""
        self._store, self._shelf, self._cache, self._metrics = store, shelf, cache, metrics
        self._make_room = make_room
        self._poll_s, self._budget_bytes, self._cached_releases = poll_s, budget_bytes, cached_releases
        self._asker = ThreadPoolExecutor(1, "live-log")
        self._asking: asyncio.Future[tuple[int, dict[str, Any]]] | None = None
        self.current: LoadedRelease | None = None
        self.number = self._seen = 0
        self.failure: Failure | None = None
        self.store_error = ""
        self.nothing_live = False
        self._silent_since: float | None = None

    async def run(self) -> None:
        """Follow the log, and what is hidden, until cancelled: a release that loads for long hides nothing later."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._again_and_again(self.look))
            tasks.create_task(self._again_and_again(self._shelf.look_for_hidden))

    async def _again_and_again(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await look()
            except Exception as error:  # noqa: BLE001 - who follows no more would answer from the past for ever
                logs.crash(error)
            await asyncio.sleep(self._poll_s)

    async def look(self) -> None:
        """Read the log's head once, and load what is live if it is not what answers."""
        self._metrics.available.set(available_bytes(self._budget_bytes))
        live = await self._head()
        if live is None:
            return
        if self.current is not None and live.release_id == self.current.release_id:
            self._reached(live)
        elif self._may_try(live):
            await self._take(live)

    async def close(self) -> None:
        """Give up what answers; who still uses it keeps it until it has done."""
        self._exchange(None)
        self._asker.shutdown(wait=False)

    async def _head(self) -> Live | None:
        """Return what is live, None where that is not known or nothing is; a start may fall back on the disk's copy."""
        try:
            number, entry = await self._asked_head()
        except StoreError as error:
            self._silent(str(error))
            last = await self._shelf.in_thread(self._cache.last) if self._cache and self.current is None else None
            return Live(*last) if last else None
        self._heard()
        self.nothing_live = not number
        if self.nothing_live:
            self._metrics.behind.labels("nothing_live").set(1)
            return None
        return Live(number, str(entry.get("release_id")))

    async def _asked_head(self) -> tuple[int, dict[str, Any]]:
        """Ask the store; the client of a bucket that is down asks for minutes, and is not asked twice at once."""
        if self._asking is None:
            loop = asyncio.get_running_loop()
            self._asking = loop.run_in_executor(self._asker, Log(self._store, PREFIX).head, self._seen)
        done, _ = await asyncio.wait({self._asking}, timeout=ANSWER_S)
        if not done:
            raise UnavailableError(f"{self._store.uri} has not answered for {ANSWER_S:g} s")
        asked, self._asking = self._asking, None
        self._seen, entry = await asked
        return self._seen, entry

    async def _take(self, live: Live) -> None:
        try:
            loaded = await self._load(live.release_id)
        except Refused as refused:
            self._refuse(live, refused)
            if self.current is None and refused.reason != "unavailable":
                await self._take_earlier(live)
            return
        now = await self._head()
        if now is not None and now.release_id != live.release_id:  # it was rolled back, or another one is newer
            self._shelf.close(loaded)
            return
        self._exchange(loaded)
        self._reached(now or live)
        await self._keep_copies(live)

    async def _take_earlier(self, live: Live) -> None:
        """Load what a rollback would come to: who starts beside a damaged release is to answer all the same."""
        with suppress(StoreError):
            history = await self._shelf.in_thread(read_history, self._store)
            earlier = [each for each in dict.fromkeys(history.returnable()) if each != live.release_id]
            for release_id in earlier[:EARLIER]:
                with suppress(Refused):
                    self._exchange(await self._load(release_id))
                    return

    async def _load(self, release_id: str) -> LoadedRelease:
        """Return a release in the place of what was in memory beside the one that answers. Raises Refused."""
        await self._make_room()
        return await self._shelf.load(release_id)

    def _exchange(self, loaded: LoadedRelease | None) -> None:
        before, self.current = self.current, loaded
        if loaded is not None:
            release = loaded.release
            self._metrics.release.clear()
            self._metrics.release.labels(release.release_id, release.model_id, release.index_id).set(1)
            self._metrics.swaps.inc()
            self._metrics.load_seconds.set(loaded.seconds)
            self._metrics.predicted.set(loaded.needed_bytes)
            instead = f", instead of {before.release_id}" if before else ""
            seconds = round(loaded.seconds, 2)
            logs.say(f"release {release.release_id} answers{instead}", release_id=release.release_id, seconds=seconds)
        if before is not None:
            self._shelf.close(before)

    def _reached(self, live: Live) -> None:
        if self.number != live.number and self._cache is not None:
            self._cache.remember(live.number, live.release_id)
        self.number, self.failure = live.number, None
        self._metrics.live_number.set(live.number)
        self._metrics.behind.clear()

    def _may_try(self, live: Live) -> bool:
        failure = self.failure
        return failure is None or failure.live != live or time.monotonic() >= failure.again_at

    def _refuse(self, live: Live, refused: Refused) -> None:
        before = self.failure
        attempts = 1 + (before.attempts if before is not None and before.live == live else 0)
        pause = self._poll_s if refused.reason == "unavailable" else min(2.0**attempts, LONGEST_PAUSE_S)
        if before is None or before.live != live or str(before.refused) != str(refused):
            stays = f"; {self.current.release_id} still answers" if self.current else ""
            logs.warn(f"release {live.release_id} is live and cannot be loaded ({refused}){stays}")
        self.failure = Failure(live, refused, attempts, time.monotonic() + pause)
        self._metrics.refusals.labels(refused.reason).inc()
        for reason in REASONS:
            self._metrics.behind.labels(reason).set(reason == refused.reason)

    def _silent(self, detail: str) -> None:
        if self._silent_since is None:
            self._silent_since = time.monotonic()
            logs.warn(f"the store does not answer ({detail}); what is loaded goes on answering")
        self.store_error = detail
        self._metrics.store_seconds.set(time.monotonic() - self._silent_since)

    def _heard(self) -> None:
        if self._silent_since is not None:
            logs.say("the store answers again")
        self._silent_since, self.store_error = None, ""
        self._metrics.store_seconds.set(0)

    async def _keep_copies(self, live: Live) -> None:
        """Remove copies of releases that neither are open nor were live lately."""
        if self._cache is not None:
            with suppress(StoreError):
                history = await self._shelf.in_thread(read_history, self._store)
                keep = {*history.recent(self._cached_releases), *self._shelf.release_ids}
                await self._shelf.in_thread(self._cache.evict, {*keep, live.release_id})
