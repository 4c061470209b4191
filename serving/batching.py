"""Queries that come at once go through the model in one batch.

While a batch is in the model the next one gathers; when the model is free, a batch waits a moment for photos that are
being prepared, and for none where there are none. So a query alone waits for nobody, and many fill their batches. A
photo on which the model fails fails alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.query.explained import Explained
from pipelines.neighbours.query.filters import Filter, UnknownFilterError
from pipelines.neighbours.query.standing import Standing
from pipelines.neighbours.rows import UnknownItemError
from pipelines.search.answers import Result
from pipelines.search.engine import SearchEngine
from pipelines.telemetry import logs
from serving.metrics import Metrics
from serving.problems import Problem, retry_after
from serving.release.loaded import LoadedRelease

RATE_SHARE = 0.1
"""How much the last batch counts in the mean time a photo, by which Retry-After is told."""


@dataclass(frozen=True)
class Question:
    """What is asked beside a photo: how many results, what they must be, and whether to tell how they were found.

    Where that is told, also why `item` is among them or is not; "" for none.
    """

    k: int
    wanted: Filter | None = None
    explain: bool = False
    item: str = ""


@dataclass(frozen=True)
class Found:
    """The results of one photo, best first; where that was asked, how they were found and where an item stands."""

    results: tuple[Result, ...]
    explained: Explained | None = None
    standing: Standing | None = None


@dataclass(eq=False)
class Asked:
    """One prepared photo on its way: what is asked of it, until when (monotonic seconds), where its answer goes."""

    loaded: LoadedRelease
    jpeg: bytes
    question: Question
    until: float
    answer: asyncio.Future[Found]
    queued_at: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.answer.done() or time.monotonic() >= self.until


class Batcher:
    """The model's queue. All its methods are called on the event loop; model and search run in threads of their own."""

    def __init__(self, metrics: Metrics, *, batch: int, wait_s: float, queue: int, searchers: int) -> None:
        self._metrics, self._batch, self._wait_s, self._limit = metrics, batch, wait_s, queue
        self._model, self._search = ThreadPoolExecutor(1, "model"), ThreadPoolExecutor(searchers, "search")
        self._waiting: deque[Asked] = deque()
        self._changed = asyncio.Event()
        self._admitted = self._coming = 0
        self._photo_s = 0.01
        self._searches: set[asyncio.Task[None]] = set()
        metrics.queue_limit.set(queue)

    @contextmanager
    def admitted(self, photos: int) -> Iterator[None]:
        """Hold places in the queue until the photos are answered. Raises Problem where there are none."""
        if self._admitted + photos > self._limit:
            seconds = self._admitted * self._photo_s
            raise retry_after("queue_full", f"{self._admitted} photos are waiting, and no more are taken", seconds)
        self._admitted += photos
        self._metrics.queue_photos.set(self._admitted)
        try:
            yield
        finally:
            self._admitted -= photos
            self._metrics.queue_photos.set(self._admitted)

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Say that a photo will be asked soon: a batch waits for it, but not for long."""
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1
            self._changed.set()

    async def ask(self, loaded: LoadedRelease, jpeg: bytes, question: Question, until: float) -> Found:
        """Return what one prepared photo finds. Raises Problem when it is not answered `until` (monotonic seconds)."""
        asked = Asked(loaded, jpeg, question, until, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._changed.set()
        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await asked.answer
        except TimeoutError:
            raise retry_after("deadline", "the queue is longer than the deadline", 1) from None

    async def in_search_thread[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what searches without the model."""
        return await asyncio.get_running_loop().run_in_executor(self._search, lambda: call(*args, **kwargs))

    async def run(self) -> None:
        """Take batches until cancelled."""
        while True:
            batch = await self._next()
            if batch:
                await self._through_model(batch)

    def close(self) -> None:
        """Give up the threads."""
        for pool in (self._model, self._search):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _next(self) -> list[Asked]:
        """Return the next batch, of one release; photos whose time is over are dropped."""
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        until = time.monotonic() + self._wait_s
        while self._coming and len(self._waiting) < self._batch and (left := until - time.monotonic()) > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                break
        return self._taken()

    def _taken(self) -> list[Asked]:
        batch: list[Asked] = []
        others: deque[Asked] = deque()
        while self._waiting and len(batch) < self._batch:
            asked = self._waiting.popleft()
            if asked.is_over:
                continue
            if batch and asked.loaded is not batch[0].loaded:
                others.append(asked)
            else:
                batch.append(asked)
        self._waiting.extendleft(reversed(others))
        return batch

    async def _through_model(self, batch: list[Asked]) -> None:
        started = time.monotonic()
        for asked in batch:
            self._metrics.step_seconds.labels("wait").observe(started - asked.queued_at)
        self._metrics.batch_photos.observe(len(batch))
        loaded, loop = batch[0].loaded, asyncio.get_running_loop()
        with ExitStack() as use:
            use.enter_context(loaded.in_use())
            try:
                with self._metrics.step("model"):
                    jpegs = [each.jpeg for each in batch]
                    outputs = await loop.run_in_executor(self._model, loaded.engine.outputs, jpegs)
            except Exception as error:  # noqa: BLE001 - a model raises what it likes
                await self._each_alone(batch, error)
                return
            taken_s = (time.monotonic() - started) / len(batch)
            self._photo_s += RATE_SHARE * (taken_s - self._photo_s)
            search = asyncio.create_task(self._search_all(batch, outputs, use.pop_all()))
        self._searches.add(search)
        search.add_done_callback(self._searches.discard)

    async def _each_alone(self, batch: list[Asked], error: Exception) -> None:
        """Ask each photo by itself, for one of them fails the others."""
        if len(batch) > 1:
            for asked in batch:
                await self._through_model([asked])
            return
        logs.warn(f"the model fails on a photo ({type(error).__name__}: {error})")
        _fail(batch[0], Problem("model_failed", "the model fails on this photo; send another one"))

    async def _search_all(self, batch: list[Asked], outputs: QueryOutputs, use: ExitStack) -> None:
        """Search with a batch; photos of one k together, so that a query's results depend on no other query."""
        with use:
            groups: dict[int, list[int]] = {}
            for number, asked in enumerate(batch):
                if asked.question.explain:
                    await self._search_one(asked, outputs.take(np.array([number])))
                else:
                    groups.setdefault(asked.question.k, []).append(number)
            for k, numbers in groups.items():
                await self._search_group([batch[number] for number in numbers], outputs.take(np.array(numbers)), k)

    async def _search_group(self, batch: list[Asked], outputs: QueryOutputs, k: int) -> None:
        filters = [asked.question.wanted for asked in batch]
        try:
            with self._metrics.step("search"):
                found = await self.in_search_thread(batch[0].loaded.engine.found, outputs, k, filters)
        except Exception:  # noqa: BLE001 - one query's filter fails all; each by itself tells whose it is
            for number, asked in enumerate(batch):
                await self._search_one(asked, outputs.take(np.array([number])))
            return
        for asked, results in zip(batch, found, strict=True):
            _answer(asked, Found(results))

    async def _search_one(self, asked: Asked, outputs: QueryOutputs) -> None:
        engine, question = asked.loaded.engine, asked.question
        try:
            with self._metrics.step("search"):
                answer = _explained if question.explain else _found
                found = await self.in_search_thread(answer, engine, outputs, question)
        except UnknownFilterError as error:
            _fail(asked, Problem("unknown_filter", str(error)))
        except UnknownItemError as error:
            _fail(asked, Problem("unknown_item", str(error)))
        except Exception as error:  # noqa: BLE001 - who waits is told, and the queue goes on
            logs.crash(error)
            _fail(asked, Problem("internal", "the search failed; ask again later"))
        else:
            _answer(asked, found)


def _found(engine: SearchEngine, outputs: QueryOutputs, question: Question) -> Found:
    return Found(engine.found(outputs, question.k, [question.wanted])[0])


def _explained(engine: SearchEngine, outputs: QueryOutputs, question: Question) -> Found:
    results, explained = engine.explained(outputs, question.k, question.wanted)
    if not question.item:
        return Found(results, explained)
    return Found(results, explained, engine.standing(outputs, question.item, question.k, question.wanted))


def _answer(asked: Asked, found: Found) -> None:
    if not asked.answer.done():
        asked.answer.set_result(found)


def _fail(asked: Asked, problem: Problem) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(problem)
