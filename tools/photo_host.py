"""A host of photos on loopback, with the manners that real ones have: it limits rates, fails, stalls, and lies.

    python -m tools.photo_host FOLDER [--port 0] [--per-second N] [--faults 0.05] [--latency-ms 0]

Serves `/<n>.jpg` for any number: the bytes of one of the folder's photos with a comment of its own, so that no two are
the same. It prints its address, and keeps what it was asked: `/log` gives that as JSON, `/forget` begins anew. For
tests and benchmarks of fetching.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import hashlib
import itertools
import json
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

PASSING = ("429", "500", "503", "reset", "cut", "stall", "silence")
"""What a request may meet by chance; the next one may succeed."""
LASTING = ("circle", "html", "pixel", "404", "403")
"""What some photos meet each time."""
PIXEL = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
HTML = b"<!doctype html><html><body><h1>Just a moment...</h1></body></html>"


@dataclass
class Manners:
    """How the host behaves: requests a second until it answers 429, and shares of what fails."""

    per_second: float | None = None
    faults: float = 0.0
    """Of requests that fail by chance."""
    lasting: float = 0.0
    """Of photos that are never to be had."""
    latency_s: float = 0.0
    seed: int = 1


@dataclass
class Seen:
    """What the host was asked."""

    times: list[float] = field(default_factory=list)
    paths: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    """How often each photo was given whole."""
    answers: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    """Of the last request."""

    def fullest_second(self) -> int:
        """Return the most requests within any second."""
        return max((bisect.bisect_right(self.times, t + 1) - n for n, t in enumerate(self.times)), default=0)


class PhotoHost:
    """Answers requests for photos; `data` are the photos of which it makes any number."""

    def __init__(self, data: list[bytes], manners: Manners) -> None:
        self.data, self.manners, self.seen = data, manners, Seen()
        self.made_of: dict[str, int] = {}
        """Which of the photos a name shows, where it is not its number that says so."""
        self.moved = False
        """Whether photos are at other addresses now, to which it redirects."""
        self._chance = random.Random(manners.seed)
        self._window: deque[float] = deque()
        self._peers: set[object] = set()

    def app(self) -> web.Application:
        """Return the application that answers."""
        app = web.Application()
        app.router.add_get("/log", self._log)
        app.router.add_get("/forget", self._forget)
        app.router.add_get("/{name:.+}", self._asked)
        return app

    def photo(self, name: str) -> bytes:
        """Return the bytes of a photo: a JPEG with its name in a comment."""
        number = self.made_of.get(name, int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
        data, said = self.data[number % len(self.data)], name.encode()
        comment = b"\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said
        return data[:2] + comment + data[2:] if data.startswith(b"\xff\xd8") else data

    def lasting(self, name: str) -> str:
        """Return what a photo meets each time, "" for an honest one."""
        number = int(hashlib.sha256(f"{self.manners.seed} {name}".encode()).hexdigest()[:8], 16)
        return LASTING[number % len(LASTING)] if number / 0xFFFFFFFF < self.manners.lasting else ""

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        seen, name = self.seen, request.match_info["name"]
        seen.times.append(time.time())
        seen.paths[name] += 1
        seen.headers = dict(request.headers)
        seen.at_once += 1
        seen.most_at_once = max(seen.most_at_once, seen.at_once)
        try:
            kind = "429" if self._is_over() else self.lasting(name) or self._by_chance()
            seen.answers[kind or "good"] += 1
            if self.manners.latency_s:
                await asyncio.sleep(self.manners.latency_s)
            return await self._answer(request, name, kind)
        finally:
            seen.at_once -= 1

    def _is_over(self) -> bool:
        if self.manners.per_second is None:
            return False
        now = time.time()
        while self._window and self._window[0] <= now - 1:
            self._window.popleft()
        if len(self._window) >= self.manners.per_second:
            self.seen.answers["over"] += 1
            return True
        self._window.append(now)
        return False

    def _by_chance(self) -> str:
        return self._chance.choice(PASSING) if self._chance.random() < self.manners.faults else ""

    async def _answer(self, request: web.Request, name: str, kind: str) -> web.StreamResponse:
        if (told := self._instead(name, kind)) is not None:
            return told
        body = self.photo(name)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            self.seen.answers["304"] += 1
            return web.Response(status=304, headers={"ETag": tag})
        if kind in {"reset", "cut", "stall", "silence"}:
            return await self._broken(request, body, kind)
        self.seen.given[name] += 1
        return web.Response(body=body, content_type="image/jpeg", headers={"ETag": tag})

    def _instead(self, name: str, kind: str) -> web.Response | None:
        """Return a whole answer that is no photo, None where there is to be one. Raises HTTPFound."""
        if kind in {"429", "503"}:
            return web.Response(status=int(kind), headers={"Retry-After": "1"})
        if kind in {"500", "404", "403", "410"}:
            return web.Response(status=int(kind), text="no")
        if kind in {"empty", "204"}:
            return web.Response(status=200 if kind == "empty" else 204)
        if kind == "half":
            return web.Response(body=self.photo(name)[:-200], content_type="image/jpeg")
        if kind == "circle":
            raise web.HTTPFound(f"/{name}")
        if self.moved and not name.startswith("moved/"):
            raise web.HTTPFound(f"/moved/{name}")
        if kind == "html":
            return web.Response(body=HTML, content_type="text/html")
        if kind == "pixel":
            return web.Response(body=PIXEL, content_type="image/gif")
        return None

    async def _broken(self, request: web.Request, body: bytes, kind: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "image/jpeg"})
        if kind == "silence":
            await asyncio.sleep(3600)
        transport = request.transport
        if kind != "reset":
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
        if kind == "stall":
            await asyncio.sleep(3600)
        if transport is not None:
            transport.abort() if kind == "reset" else transport.close()
        return response

    async def _log(self, _: web.Request) -> web.Response:
        seen = self.seen
        twice = {name: count for name, count in seen.given.items() if count > 1}
        return web.json_response(
            {
                "requests": len(seen.times),
                "photos": len(seen.given),
                "given_twice": len(twice),
                "given_more": sum(twice.values()) - len(twice),
                "answers": seen.answers,
                "fullest_second": seen.fullest_second(),
                "most_at_once": seen.most_at_once,
                "seconds": seen.times[-1] - seen.times[0] if seen.times else 0.0,
                "headers": seen.headers,
            }
        )

    async def _forget(self, _: web.Request) -> web.Response:
        self.seen = Seen()
        return web.Response(text="forgotten")


def photos_below(folder: Path, most: int) -> list[bytes]:
    """Return the bytes of the first photos below a folder."""
    return [path.read_bytes() for path in itertools.islice(sorted(folder.rglob("*.jpg")), most)]


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--most", type=int, default=500, help="photos of the folder that are used")
    parser.add_argument("--per-second", type=float)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--lasting", type=float, default=0.0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    given = parser.parse_args()
    manners = Manners(given.per_second, given.faults, given.lasting, given.latency_ms / 1000)
    host = PhotoHost(photos_below(given.folder, given.most), manners)
    asyncio.run(_serve(host, given.port))


async def _serve(host: PhotoHost, port: int) -> None:
    runner = web.AppRunner(host.app(), access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    print(json.dumps({"address": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
