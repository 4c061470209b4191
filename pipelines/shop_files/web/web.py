"""Fetches photos and feeds by address, as many at once as the hosts allow, and asks again where that may help."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import IO, Any, Final, Self

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from yarl import URL

from pipelines.config.fetching import FetchSection
from pipelines.shop_files.web.addresses import RefusedError
from pipelines.shop_files.web.ceilings import Ceiling, Share
from pipelines.shop_files.web.client import LINGER_S, Answer, Client, host_of
from pipelines.shop_files.web.failures import NOT_READY, WebError
from pipelines.shop_files.web.hosts import Tally
from pipelines.shop_files.web.memory import Memory
from pipelines.shop_files.web.pace import Pace
from pipelines.store import Store

PASSING: Final = frozenset(
    {"rate_limited", "server_error", NOT_READY, "timeout", "unreachable", "cut_off", "host_left_alone", "no_variable"}
)
"""Codes of what may pass: tried again within the run where that may help, and by the next run."""
_NOT_AGAIN: Final = frozenset({"host_left_alone", "no_variable"})
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0


class Web:
    """Fetches by address, within one event loop. Use it as an asynchronous context manager."""

    def __init__(self, section: FetchSection, max_bytes: int, store: Store) -> None:
        self.section, self._store = section, store
        self._client = Client(section, max_bytes)
        self._paces: dict[str, Pace] = {}
        self.tallies: dict[str, Tally] = {}

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(self._client)
        self._began = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        await asyncio.gather(*(pace.close() for pace in self._paces.values()))

    async def fetch(
        self, address: str, memory: Memory | None = None, sink: IO[bytes] | None = None, timeout_s: float | None = None
    ) -> Answer:
        """Return what is behind an address; of one that is remembered no body where it has not changed.

        A body too large for memory is written to `sink`. Raises WebError; its code is in PASSING where another run may
        succeed.
        """
        try:
            url = self._client.rules.parse(address)
        except RefusedError as error:
            raise WebError(error.code, error.detail) from error
        tally = self._tally(host_of(url))
        try:
            answer = await self._persistently(url, memory, sink, timeout_s)
        except WebError as error:
            tally.failed(error.code, passes=error.code in PASSING)
            raise
        finally:
            tally.seconds = time.monotonic() - self._began
        tally.further["redirected"] += answer.redirects
        tally.came(None if answer.body is None else len(answer.body))
        return answer

    def gave_none(self, address: str, code: str) -> None:
        """Tell that what an address has given is no photo, such as a page with 200: it counts as not had."""
        self._tally(host_of(self._client.rules.parse(address))).gave_none(code)

    async def _persistently(self, url: URL, memory: Memory | None, *more: Any) -> Answer:
        asking = AsyncRetrying(
            stop=stop_after_attempt(self.section.attempts),
            wait=_pause,
            retry=retry_if_exception(self._is_worth_it),
            reraise=True,
        )
        return await asking(self._once, url, memory, *more)

    async def _once(self, url: URL, memory: Memory | None, *more: Any) -> Answer:
        return await self._client.ask(url, memory.headers if memory else {}, self._turn, *more)

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        async with self._pace(host).turn():
            tally = self._tally(host)
            if tally.left_alone:
                raise WebError("host_left_alone", f"{host} has failed throughout, and is left alone for this run")
            tally.requests += 1
            try:
                yield
            except WebError as error:
                of_host = error.wait_s if error.code != NOT_READY else 0.0  # others are not to wait for that photo
                if error.code in PASSING:
                    tally.further["slower" if error.code == "rate_limited" or of_host else error.code] += 1
                self._pace(host).answered(too_many=error.code == "rate_limited", wait_s=of_host)
                raise
            self._pace(host).answered(too_many=False)

    def _tally(self, host: str) -> Tally:
        return self.tallies.setdefault(host, Tally())

    def _is_worth_it(self, error: BaseException) -> bool:
        if not isinstance(error, WebError) or error.code not in PASSING - _NOT_AGAIN:
            return False
        return error.wait_s <= self.section.longest_wait_s

    def _pace(self, host: str) -> Pace:
        if host not in self._paces:
            own = self.section.of_host(host)
            ceiling = Ceiling(own.connections or self.section.connections, own.requests_per_second)
            self._paces[host] = Pace(Share(self._store, host, ceiling, LINGER_S))
        return self._paces[host]


def _pause(state: RetryCallState) -> float:
    """Return the seconds until the next attempt: what the host asks for, at least a pause that grows, with jitter."""
    error = state.outcome.exception() if state.outcome else None
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**state.attempt_number)
    asked = error.wait_s if isinstance(error, WebError) else 0.0
    return asked + random.uniform(longest / 4, longest)
