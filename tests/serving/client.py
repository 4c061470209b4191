"""A service over a shop that tests ask in this process, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from pipelines.store import Store
from serving.app import create_app
from serving.hidden import HiddenItems
from serving.keys import Keys
from serving.service import Service
from tests.serving.shop import ServedShop


class Client:
    """Asks a service's application."""

    def __init__(self, service: Service, http: httpx.AsyncClient) -> None:
        self.service, self.http = service, http

    async def search(self, photo: bytes, **parameters: Any) -> dict[str, Any]:
        """Return the answer to one photo; fails where there is none."""
        answer = await self.http.post("/v1/search", params=parameters, content=photo)
        assert answer.status_code == 200, answer.text
        value: dict[str, Any] = answer.json()
        assert answer.headers["x-release-id"] == value["release_id"]
        return value

    async def ready(self, release_id: str | None = None) -> dict[str, Any]:
        """Wait until the service is ready, with this release if one is named; return what /readyz says."""
        return await self._until(lambda told: told["status"] == "ready" and release_id in {None, told["release_id"]})

    async def told(self, **wanted: Any) -> dict[str, Any]:
        """Wait until /readyz says this of what is live and is not loaded; return all that it says."""
        return await self._until(lambda told: wanted.items() <= told.get("live", {}).items())

    async def metric(self, name: str) -> float | None:
        """Return a metric by its name with labels, without the prefix."""
        lines = (await self.http.get("/metrics")).text.splitlines()
        found = [line.rpartition(" ")[2] for line in lines if line.startswith(f"visual_search_serving_{name} ")]
        return float(found[0]) if found else None

    async def _until(self, fits: Any) -> dict[str, Any]:
        async with asyncio.timeout(300):
            while True:
                told: dict[str, Any] = (await self.http.get("/readyz")).json()
                if fits(told):
                    return told
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(
    shop: ServedShop,
    keys: Keys | None = None,
    hidden: HiddenItems | None = None,
    *,
    store: Store | None = None,
    ready: bool = True,
    **settings: Any,
) -> AsyncIterator[Client]:
    """Run a service for the time of a test, and wait until it is ready."""
    service = Service(shop.config(**settings), store or shop.store, keys, hidden)
    transport = httpx.ASGITransport(create_app(service), raise_app_exceptions=False)
    await service.start()
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
            client = Client(service, http)
            if ready:
                await client.ready()
            yield client
    finally:
        await service.stop()


Ask = Callable[[Client], Awaitable[None]]


class Shared:
    """One service for many tests; its loop stands still between them."""

    def __init__(self, shop: ServedShop, **settings: Any) -> None:
        self._runner, self._stack = asyncio.Runner(), AsyncExitStack()
        self._client = self._runner.run(self._stack.enter_async_context(serving(shop, **settings)))

    def __call__(self, ask: Ask) -> None:
        self._runner.run(ask(self._client))

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()


def alone(shop: ServedShop, ask: Ask, **settings: Any) -> None:
    """Ask a service of one test's own."""

    async def main() -> None:
        async with serving(shop, **settings) as client:
            await ask(client)

    asyncio.run(main())


def ids(answer: dict[str, Any]) -> list[str]:
    """The items of what is similar, or of an answer's first photo."""
    results = answer["results"] if "results" in answer else answer["answers"][0]["results"]
    return [result["item_id"] for result in results]


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is this problem; return it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    value: dict[str, Any] = answer.json()
    assert (answer.status_code, value["code"], value["status"]) == (status, code, status), json.dumps(value)
    assert value["type"] == f"urn:visual-search:problem:{code}"
    assert value["title"]
    assert value["detail"]
    return value
