"""The photos of a sample, fetched and prepared as the preprocess stage does it, within a time."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.preprocess.prepare import Preparer
from pipelines.shop_files.fetch import FetchError
from pipelines.shop_files.web.addresses import shown
from pipelines.shop_files.web.failures import WebError
from pipelines.shop_files.web.hosts import Tally
from pipelines.shop_files.web.web import Web
from pipelines.store import Store
from pipelines.survey.look.uris import Photo
from transforms.photo import Prepared
from transforms.sniff import sniff


@dataclass(frozen=True)
class Fetched:
    """What became of one photo: a reject code, or its size in bytes, format, digest, and how it was prepared.

    `said` is the code with its cause, where a host or the photo tells one, `final` the address that a redirect led to.
    """

    photo: Photo
    code: str = ""
    size: int = 0
    format: str = ""
    digest: str = ""
    prepared: Prepared | None = None
    said: str = ""
    final: str = ""


@dataclass(frozen=True)
class Sample:
    """What became of a sample within `seconds`: of `asked` photos those that are not among `photos` were late."""

    asked: int
    photos: tuple[Fetched, ...]
    seconds: float
    hosts: dict[str, Tally] = field(default_factory=dict)

    @property
    def came(self) -> list[Fetched]:
        """Those that were fetched and prepared."""
        return [one for one in self.photos if one.prepared is not None]


def fetch_sample(preparer: Preparer, store: Store, photos: Sequence[Photo], seconds: float) -> Sample:
    """Fetch and prepare photos, hosts' ceilings kept, until the time is over. `store` is where hosts are shared out.

    Raises StageError when a bucket cannot be asked.
    """
    return asyncio.run(_Fetching(preparer, store, seconds).all(photos))


class _Fetching:
    def __init__(self, preparer: Preparer, store: Store, seconds: float) -> None:
        self._preparer, self._store, self._seconds = preparer, store, seconds
        self._places = asyncio.Semaphore(preparer.fetching.in_flight)

    async def all(self, photos: Sequence[Photo]) -> Sample:
        began = time.monotonic()
        limits, fetching = self._preparer.limits, self._preparer.fetching
        pool = ThreadPoolExecutor(self._preparer.threads, "check")
        try:
            async with Web(fetching, limits.max_bytes, self._store) as web:
                tasks = [asyncio.create_task(self._one(web, pool, photo)) for photo in photos]
                done, late = await asyncio.wait(tasks, timeout=self._seconds) if tasks else (set(), set())
                took = time.monotonic() - began
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
                ended = tuple(task.result() for task in tasks if task in done)
                return Sample(len(photos), ended, took, web.tallies)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    async def _one(self, web: Web, pool: ThreadPoolExecutor, photo: Photo) -> Fetched:
        async with self._places:
            address, final = self._preparer.fetcher.address(photo.uri), ""
            try:
                if address is None:
                    data = await _in(pool, self._preparer.fetcher.fetch, photo.uri)
                else:
                    answer = await web.fetch(address)
                    data, final = answer.body or b"", shown(answer.final)
            except (WebError, FetchError) as error:
                return Fetched(photo, error.code, said=str(error))
        return replace(await _in(pool, self._looked_at, photo, data), final=final)

    def _looked_at(self, photo: Photo, data: bytes) -> Fetched:
        outcome = self._preparer.prepare_bytes(data)
        if outcome.prepared is None:
            return Fetched(photo, outcome.refusal, len(data), said=f"{outcome.refusal}: {outcome.detail}")
        return Fetched(photo, "", len(data), sniff(data), hashlib.sha256(data).hexdigest(), outcome.prepared)


async def _in(pool: ThreadPoolExecutor, work: Callable[..., Any], *given: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(pool, work, *given)
