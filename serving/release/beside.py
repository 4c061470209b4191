"""A release that is kept and is not live, in memory for those who compare it with the one that answers.

There is one at most, and it gives way when another goes live: so two releases are in memory, and never three.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from pipelines.releases.release import release_name
from pipelines.store import Store, StoreError
from pipelines.telemetry import logs
from serving.problems import Problem, retry_after
from serving.release.loaded import LoadedRelease
from serving.release.refusal import Refused
from serving.release.shelf import Shelf

AT_ONCE_S = 1.0
"""How long who asks waits for a release that loads quickly, before being told to ask again."""
HELD_S = 10.0
"""For so long after its last query a release does not give way to another one that is to be compared."""
FAILED_S = 10.0
"""For so long a release that could not be loaded is not tried again."""


@dataclass(frozen=True)
class _Failed:
    release_id: str
    problem: Problem
    until: float


class Beside:
    """Holds that release. Its methods are called on the event loop."""

    def __init__(self, store: Store, shelf: Shelf, idle_s: float) -> None:
        """Close the release once nobody has asked it for `idle_s` seconds."""
        self._store, self._shelf, self._idle_s = store, shelf, idle_s
        self.loaded: LoadedRelease | None = None
        self._loading: tuple[str, asyncio.Task[Problem | None]] | None = None
        self._failed: _Failed | None = None
        self._asked_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, release_id: str) -> LoadedRelease:
        """Return a release that is loaded, which is begun if it is not. Raises Problem until then, or where it fails.

        Who gets it uses it before anything else runs on the event loop.
        """
        if not self._has(release_id):
            self._check_failed(release_id)
            if self._loading is None:
                self._begin(release_id)
            await self._wait_for(release_id)
        assert self.loaded is not None
        self._asked_at = time.monotonic()
        return self.loaded

    async def give_way(self) -> None:
        """Close it, also if it is just being loaded: another release needs the memory."""
        if self._loading is not None:
            await asyncio.wait({self._loading[1]})
        self.close()

    def close(self) -> None:
        """Close it after the queries that it has."""
        if self._timer is not None:
            self._timer.cancel()
        if self.loaded is not None:
            logs.say(f"release {self.loaded.release_id} is compared no more")
            self._shelf.close(self.loaded)
        self.loaded = None

    def _has(self, release_id: str) -> bool:
        return self.loaded is not None and self.loaded.release_id == release_id

    def _begin(self, release_id: str) -> None:
        if self.loaded is not None:
            held_s = self._asked_at + HELD_S - time.monotonic()
            if held_s > 0:
                raise retry_after("release_busy", f"{self.loaded.release_id} is being compared, and one can be", held_s)
            self.close()
        if self._shelf.num_releases > 1:
            raise retry_after("release_busy", "the release that answers is just being exchanged", HELD_S)
        self._loading = release_id, asyncio.create_task(self._load(release_id))

    async def _wait_for(self, release_id: str) -> None:
        """Wait a moment for a release that loads. Raises Problem where that is another one, lasts longer or fails."""
        assert self._loading is not None
        loading_id, task = self._loading
        if loading_id != release_id:
            raise retry_after("release_busy", f"{loading_id} is being loaded to be compared, and one can be", HELD_S)
        await asyncio.wait({task}, timeout=AT_ONCE_S)
        if task.done() and (problem := task.result()) is not None:
            raise problem
        if not self._has(release_id):
            raise retry_after("release_loading", f"release {release_id} is being loaded to be compared", AT_ONCE_S)

    def _check_failed(self, release_id: str) -> None:
        failed = self._failed
        if failed is not None and failed.release_id == release_id and time.monotonic() < failed.until:
            raise failed.problem

    async def _load(self, release_id: str) -> Problem | None:
        """Load a release, or return why it cannot be."""
        try:
            self.loaded = await self._shelf.load(release_id)
        except Refused as refused:
            problem = await self._problem_of(release_id, refused)
            self._failed = _Failed(release_id, problem, time.monotonic() + FAILED_S)
            return problem
        finally:
            self._loading = None
        self._asked_at = time.monotonic()
        logs.say(f"release {release_id} is loaded to be compared", seconds=round(self.loaded.seconds, 2))
        self._close_when_idle()
        return None

    async def _problem_of(self, release_id: str, refused: Refused) -> Problem:
        if refused.reason == "damaged":
            try:
                if not await self._shelf.in_thread(self._store.exists, release_name(release_id)):
                    return Problem("unknown_release", f"the store keeps no release {release_id}")
            except StoreError as error:
                return retry_after("store", str(error), FAILED_S)
        return retry_after("release_refused", str(refused), FAILED_S, reason=refused.reason)

    def _close_when_idle(self) -> None:
        idle_s = time.monotonic() - self._asked_at
        if idle_s >= self._idle_s:
            self.close()
        else:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s - idle_s, self._close_when_idle)
