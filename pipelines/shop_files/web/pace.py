"""When one worker may send its next request to a host: the connections and moments of its share."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pipelines.shop_files.web.ceilings import AHEAD_S, LATE_S, Grant, Share
from pipelines.store import StoreError

RENEWED_S = 1.0
"""How often a share is renewed that others wait for, or that has moments."""
ALONE_S = 5.0
PAUSE_S = 0.1
IDLE = 3
"""How often a share is renewed that nobody uses, until it is given back."""
SPARE_S = 2.0
"""How long before its end a grant is not used any more."""


class Pace:
    """The turns at one host within one worker; made and used within one event loop."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._grant = Grant(0, 0.0)
        self._in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._moments: deque[float] = deque()
        self._next = asyncio.Lock()
        self._renewed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a request may be sent; it holds one connection until the block ends."""
        await self._connection()
        try:
            if self._count:
                await self._moment()
            yield
        finally:
            self._in_use -= 1
            self._admit()

    async def close(self) -> None:
        """Give the share back."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            await self._leave()

    @property
    def _count(self) -> int:
        """How many moments are worth taking at once, 0 where requests have no ceiling."""
        per_second = self._share.ceiling.per_second
        return 0 if per_second is None else max(1, math.ceil(per_second * AHEAD_S / 2))

    async def _connection(self) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._admit()
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep())
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._in_use -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        """Let in whoever waits longest, as far as the share goes."""
        if self._waiting and time.time() > self._grant.until - SPARE_S:
            self._wanted.set()
            return
        while self._waiting and self._in_use < self._grant.connections:
            first = self._waiting.popleft()
            if not first.done():
                self._in_use += 1
                first.set_result(None)

    async def _moment(self) -> None:
        """Wait for the next moment that is this worker's; those that were missed are lost."""
        async with self._next:
            while True:
                now = time.time()
                while self._moments and self._moments[0] < now - LATE_S:
                    self._moments.popleft()
                if 2 * len(self._moments) < self._count:
                    self._wanted.set()
                if self._moments:
                    at = self._moments.popleft()
                    await asyncio.sleep(max(0.0, at - now))
                    if time.time() <= at + LATE_S:
                        return
                else:
                    self._renewed.clear()
                    await self._renewed.wait()

    async def _keep(self) -> None:
        """Renew the share while there is anything to do: soon where moments run out, else now and then."""
        idle = 0
        while idle < IDLE:
            if not await self._renew():
                await asyncio.sleep(PAUSE_S)
                continue
            idle = 0 if self._in_use or self._waiting else idle + 1
            quick = self._count or not self._grant.is_alone or not self._grant.connections
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), RENEWED_S if quick else ALONE_S)
            await asyncio.sleep(0 if self._grant.moments else PAUSE_S)
        self._grant = Grant(0, 0.0)
        await self._leave()

    async def _renew(self) -> bool:
        self._wanted.clear()
        wanted = self._count if self._in_use and 2 * len(self._moments) < self._count else 0
        try:
            self._grant = await asyncio.to_thread(self._share.renew, self._in_use, wanted)
        except StoreError:  # it cannot be asked now; what is held ends with its time
            return False
        self._moments.extend(self._grant.moments)
        self._renewed.set()
        self._admit()
        return True

    async def _leave(self) -> None:
        with suppress(StoreError):
            await asyncio.to_thread(self._share.leave)
