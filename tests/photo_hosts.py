"""A host of photos on loopback, in a thread, for the time of a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tests.catalogue.shop import jpeg
from tools.photo_host import Manners, PhotoHost

LOCAL = {"allowed_networks": ["127.0.0.1"], "idle_s": 1, "timeout_s": 3}
"""Of the section [fetch]: loopback is a private network."""


def host(**manners: Any) -> PhotoHost:
    """Return a host of a few small photos."""
    return PhotoHost([jpeg(seed) for seed in range(5)], Manners(**manners))


@contextmanager
def answering(app: Callable[[], web.Application]) -> Iterator[str]:
    """Have an application answer; give its address. It is closed in the end."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), list[str]()

    async def begin() -> web.AppRunner:
        runner = web.AppRunner(app(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
