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
RECENT = 20
"""Of so many answers a share of TOO_MANY, that the host wants fewer requests, slows this worker down."""
TOO_MANY = 0.3
IDLE = 3
"""How often a share is renewed that nobody uses, until it is given back."""
LONGEST_STILL_S = 60.0
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
        self._most = math.inf
        self._still_until = 0.0
        self._refused: deque[bool] = deque(maxlen=RECENT)

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

    def answered(self, *, too_many: bool, wait_s: float = 0.0) -> None:
        """Take note of an answer; where many say that there are too many requests, be still, and go on with half.

        Each connection that was given up comes back after RECENT answers that are none of these.
        """
        self._refused.append(too_many)
        if sum(self._refused) >= TOO_MANY * RECENT and time.time() >= self._still_until:
            self._most = max(1, min(self._most, self._in_use) // 2)
            self._still_until = time.time() + max(1.0, min(wait_s, LONGEST_STILL_S))
            self._refused.clear()
            asyncio.get_running_loop().call_later(self._still_until - time.time() + PAUSE_S, self._admit)
        elif len(self._refused) == RECENT and not any(self._refused) and self._most < math.inf:
            self._most += 1
            self._refused.clear()

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
        if time.time() < self._still_until:
            return
        while self._waiting and self._in_use < min(self._grant.connections, self._most):
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
