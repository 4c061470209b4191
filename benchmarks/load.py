"""Queries by photo from a process of its own: as many as a number of askers can, or so many a second.

    python -m benchmarks.load URL PHOTOS OUT --askers 16 [--rate 100] [--releases '{"<release id>": "a"}'] [--watch IDS]

Asks until SIGTERM, then writes OUT, a numpy archive with one entry a query. With a rate, a query's time counts from
the moment at which it was due, so that a service that stands still is seen by all that would have come meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import orjson
import uvloop

RESULTS, WARM_S, ANSWERED = 10, 2.0, 200
LATEST_S = 30.0
BEGUN = "asking"
"""What the process says once it asks."""
REFUSED = -1
"""The status of a query whose connection was refused or broken."""


@dataclass
class Record:
    """What came of the queries.

    Of each: when it began (monotonic seconds), HTTP status, release, whether ids of another one were among its results,
    and how many that are watched for.
    """

    began: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    release: list[str] = field(default_factory=list)
    mixed: list[bool] = field(default_factory=list)
    watched: list[int] = field(default_factory=list)

    def add(self, began: float, status: int, release: str = "", *, mixed: bool = False, watched: int = 0) -> None:
        """Add a query that has just ended."""
        self.began.append(began)
        self.seconds.append(time.monotonic() - began)
        self.status.append(status)
        self.release.append(release)
        self.mixed.append(mixed)
        self.watched.append(watched)

    def save(self, path: Path) -> None:
        """Write them, whole."""
        temporary = path.with_suffix(".part.npz")
        arrays: dict[str, Any] = {name: np.array(values) for name, values in vars(self).items()}
        np.savez(temporary, **arrays)
        temporary.replace(path)


class Asker:
    """Asks one service with photos, in turn."""

    def __init__(self, url: str, photos: list[bytes], releases: dict[str, str], watch: Path | None) -> None:
        self._url, self._photos, self._releases = f"{url}/v1/search?k={RESULTS}", photos, releases
        self._watched = frozenset(watch.read_text(encoding="utf-8").split() if watch else ())
        self.record, self.over = Record(), asyncio.Event()
        self._number = 0

    async def ask(self, http: aiohttp.ClientSession, began: float) -> None:
        """Ask once."""
        self._number += 1
        photo = self._photos[self._number % len(self._photos)]
        try:
            async with http.post(self._url, data=photo, headers={"Content-Type": "image/jpeg"}) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            self.record.add(began, REFUSED)
            return
        if answer.status != ANSWERED:
            self.record.add(began, answer.status)
            return
        self._add(began, orjson.loads(body))

    async def ask_on(self, http: aiohttp.ClientSession) -> None:
        """Ask again and again."""
        while not self.over.is_set():
            began = time.monotonic()
            await self.ask(http, began)
            if self.record.status[-1] != ANSWERED:
                await asyncio.sleep(0.05)

    async def ask_at(self, http: aiohttp.ClientSession, rate: float) -> None:
        """Ask so often a second, at moments that do not depend on the answers; many may be under way."""
        due, tasks = time.monotonic(), set[asyncio.Task[None]]()
        random = np.random.default_rng(0)
        while not self.over.is_set():
            due += float(random.exponential(1 / rate))
            if (pause_s := due - time.monotonic()) > 0:
                await asyncio.sleep(pause_s)
            tasks.add(task := asyncio.create_task(self.ask(http, due)))
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    def _add(self, began: float, answer: dict[str, Any]) -> None:
        release_id, results = answer["release_id"], answer["answers"][0]["results"]
        ids = [result["item_id"] for result in results]
        prefix = self._releases.get(release_id, "")
        mixed = not ids or not all(each.startswith(prefix) for each in ids)
        self.record.add(began, ANSWERED, release_id, mixed=mixed, watched=len(self._watched.intersection(ids)))


async def asking(given: argparse.Namespace) -> Record:
    """Ask until SIGTERM; return what came of it."""
    photos = [path.read_bytes() for path in sorted(given.photos.rglob("*.jpg"))]
    asker = Asker(given.url, photos, json.loads(given.releases), given.watch)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asker.over.set)
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=LATEST_S)
    print(BEGUN, flush=True)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        if given.rate:
            await asker.ask_at(http, given.rate)
        else:
            await asyncio.gather(*(asker.ask_on(http) for _ in range(given.askers)))
    return asker.record


class Load:
    """Such a process, which asks already; ended by `end`, which returns what it has recorded."""

    def __init__(self, url: str, photos: Path, out: Path, **options: Any) -> None:
        """Options are those of the command line; those that are None are left out."""
        given = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
        self._out = out
        words = [sys.executable, "-m", "benchmarks.load", url, str(photos), str(out), *given]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != BEGUN:
            raise RuntimeError("the load has not begun")

    def end(self) -> Record:
        """End it, after the answers that it waits for; return what it has recorded."""
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(LATEST_S + 30):
            raise RuntimeError("the load has failed")
        with np.load(self._out) as kept:
            return Record(**{name: kept[name].tolist() for name in vars(Record())})


def saturated(url: str, photos: Path, work: Path, seconds: float, askers: int, **options: Any) -> tuple[float, Record]:
    """Return how many queries a second a service answers to so many askers, and what came of them."""
    load = Load(url, photos, work / "saturated.npz", askers=askers, **options)
    time.sleep(seconds)
    record = load.end()
    ended = np.array(record.began) + np.array(record.seconds)
    within = (ended > ended[0] + WARM_S) & (np.array(record.status) == ANSWERED)
    return float(within.sum() / (ended.max() - ended[0] - WARM_S)), record


def summary(record: Record, chosen: np.ndarray) -> dict[str, Any]:
    """Return of chosen queries, bool `[queries]`, how many there are and their times."""
    seconds = np.array(record.seconds)[chosen]
    if not len(seconds):
        return {"queries": 0}
    times = {f"p{share:g}_ms": round(1000 * float(np.percentile(seconds, share)), 2) for share in (50, 95, 99, 99.9)}
    return {"queries": len(seconds), **times, "most_ms": round(1000 * float(seconds.max()), 1)}


def main() -> None:
    """Ask as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--askers", type=int, default=16)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--releases", default="{}", help="release id -> what the ids of its items begin with, as JSON")
    parser.add_argument("--watch", type=Path, help="a file of item ids that are counted among the results")
    given = parser.parse_args()
    uvloop.run(asking(given)).save(given.out)


if __name__ == "__main__":
    main()
