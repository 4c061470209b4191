"""A query by photo on its way: prepared, through the model in a batch with those that come at once, searched.

Each step has threads of its own, which hand a query on to the next; the event loop gives it to the first and hears of
it when it is answered. Through the loop, the model would stand still whenever the loop is busy with answers.

While a batch is in the model the next one gathers; when the model is free, a batch waits a moment for photos that are
being prepared, and for none where there are none. So a query alone waits for nobody, and many fill their batches. A
photo on which the model fails fails alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Condition, Thread

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.query.filters import UnknownFilterError
from pipelines.neighbours.rows import UnknownItemError
from pipelines.telemetry import logs
from serving.asked import Asked, Found, Question
from serving.metrics import Metrics
from serving.model.process import EndedError
from serving.problems import Problem, retry_after
from serving.release.loaded import LoadedRelease
from transforms.photo import BadPhoto, Box

RATE_SHARE = 0.1
"""How much the last batch counts in the mean time a photo, by which Retry-After is told."""


type Ended = tuple[Asked, Found | Problem | None]
"""A query, and what came of it; None where nobody waits."""


class Batcher:
    """The steps of queries by photo, and how many may be on their way."""

    def __init__(self, metrics: Metrics, *, batch: int, wait_s: float, queue: int, cores: int) -> None:
        self._metrics, self._batch, self._wait_s, self._limit = metrics, batch, wait_s, queue
        self._prepare, self._search = ThreadPoolExecutor(cores, "prepare"), ThreadPoolExecutor(cores, "search")
        self._model = Thread(target=self._run, name="model", daemon=True)
        self._waiting: deque[Asked] = deque()
        self._coming, self._is_closed = 0, False
        self._changed = Condition()  # of the three above
        self._admitted, self._photo_s = 0, 0.01
        metrics.queue_limit.set(queue)

    def start(self) -> None:
        """Begin to take batches; called on the event loop, as all that others call."""
        self._loop = asyncio.get_running_loop()
        self._model.start()

    def close(self) -> None:
        """Take no more batches, and give up the threads."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        for pool in (self._prepare, self._search):
            pool.shutdown(wait=False, cancel_futures=True)

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

    async def ask(self, loaded: LoadedRelease, data: bytes, box: Box | None, question: Question, until: float) -> Found:
        """Return what a photo, or a box of it, finds.

        Raises Problem for one that cannot be asked, or is not answered `until` (monotonic seconds).
        """
        asked = Asked(loaded, data, box, question, until, self._loop.create_future())
        asked.use.enter_context(loaded.in_use())
        with self._changed:
            self._coming += 1
        self._prepare.submit(self._through_preparation, asked)
        try:
            async with asyncio.timeout(until - asked.since):
                return await asked.answer
        except TimeoutError:
            late = "the queue is longer than the deadline" if asked.jpeg else "photos before it took too long to decode"
            raise retry_after("deadline", late, 1) from None

    async def in_search_thread[**P, T](self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what searches without the model."""
        return await asyncio.get_running_loop().run_in_executor(self._search, lambda: call(*args, **kwargs))

    def _end(self, ended: Iterable[Ended]) -> None:
        """Have what came of queries given to who waits; called in any thread."""

        def on_loop() -> None:
            for asked, came in ended:
                asked.end(came)

        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            self._loop.call_soon_threadsafe(on_loop)

    def _through_preparation(self, asked: Asked) -> None:
        problem = None
        if not asked.is_over:
            problem = _prepared(asked)
            self._metrics.step_seconds.labels("prepare").observe(time.monotonic() - asked.since)
        with self._changed:
            self._coming -= 1
            if asked.jpeg:
                asked.since = time.monotonic()
                self._waiting.append(asked)
            self._changed.notify()
        if not asked.jpeg:
            self._end([(asked, problem)])

    def _run(self) -> None:
        """Take batches until closed."""
        while batch := self._next():
            started = time.monotonic()
            late = [asked for asked in batch if asked.is_over]
            self._end([(asked, None) for asked in late])
            if batch := [asked for asked in batch if asked not in late]:
                for asked in batch:
                    self._metrics.step_seconds.labels("wait").observe(started - asked.since)
                self._through_model(batch)

    def _next(self) -> list[Asked]:
        """Return the next batch, of one release; none of them once closed."""
        with self._changed:
            while not self._waiting and not self._is_closed:
                self._changed.wait()
            until = time.monotonic() + self._wait_s
            while self._coming and len(self._waiting) < self._batch and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return [] if self._is_closed else self._taken()

    def _taken(self) -> list[Asked]:
        batch: list[Asked] = []
        others: deque[Asked] = deque()
        while self._waiting and len(batch) < self._batch:
            asked = self._waiting.popleft()
            (others if batch and asked.loaded is not batch[0].loaded else batch).append(asked)
        self._waiting.extendleft(reversed(others))
        return batch

    def _through_model(self, batch: list[Asked]) -> None:
        self._metrics.batch_photos.observe(len(batch))
        started = time.monotonic()
        try:
            with self._metrics.step("model"):
                outputs = batch[0].loaded.engine.outputs([asked.jpeg for asked in batch])
        except Exception as error:  # noqa: BLE001 - a model raises what it likes
            self._each_alone(batch, error)
            return
        taken_s = (time.monotonic() - started) / len(batch)
        self._photo_s += RATE_SHARE * (taken_s - self._photo_s)
        with suppress(RuntimeError):  # closed meanwhile
            self._search.submit(self._search_all, batch, outputs)

    def _each_alone(self, batch: list[Asked], error: Exception) -> None:
        """Ask each photo that is still waited for by itself, for one of them fails the others."""
        if len(batch) > 1:
            for asked in batch:
                if asked.is_over:
                    self._end([(asked, None)])
                else:
                    self._through_model([asked])
            return
        logs.warn(f"the model fails on a photo ({type(error).__name__}: {error})")
        self._end([(batch[0], _model_problem(error))])

    def _search_all(self, batch: list[Asked], outputs: QueryOutputs) -> None:
        """Search with a batch; photos of one k together, so that a query's results depend on no other query."""
        groups: dict[int, list[int]] = {}
        for number, asked in enumerate(batch):
            if asked.question.explain:
                self._end([(asked, self._found_alone(asked, outputs.take(np.array([number]))))])
            else:
                groups.setdefault(asked.question.k, []).append(number)
        for k, numbers in groups.items():
            self._end(self._found_together([batch[number] for number in numbers], outputs.take(np.array(numbers)), k))

    def _found_together(self, batch: list[Asked], outputs: QueryOutputs, k: int) -> list[Ended]:
        filters = [asked.question.wanted for asked in batch]
        try:
            with self._metrics.step("search"):
                found = batch[0].loaded.engine.found(outputs, k, filters)
        except Exception:  # noqa: BLE001 - one query's filter fails all; each by itself tells whose it is
            return [(asked, self._found_alone(asked, outputs.take(np.array([n])))) for n, asked in enumerate(batch)]
        return [(asked, Found(results)) for asked, results in zip(batch, found, strict=True)]

    def _found_alone(self, asked: Asked, outputs: QueryOutputs) -> Found | Problem:
        try:
            with self._metrics.step("search"):
                return (_explained if asked.question.explain else _found)(asked, outputs)
        except UnknownFilterError as error:
            return Problem("unknown_filter", str(error))
        except UnknownItemError as error:
            return Problem("unknown_item", str(error))
        except Exception as error:  # noqa: BLE001 - who waits is told, and the queue goes on
            logs.crash(error)
            return Problem("internal", "the search failed; ask again later")


def _prepared(asked: Asked) -> Problem | None:
    """Prepare a photo; return why that cannot be done."""
    try:
        asked.jpeg = asked.loaded.engine.prepare(asked.data, asked.box)
    except BadPhoto as bad:
        return Problem(bad.code, bad.detail)
    except MemoryError:
        return retry_after("busy_uploads", "there is no memory for the photo's pixels", 1)
    except Exception as error:  # noqa: BLE001 - who waits is told, and the queue goes on
        logs.crash(error)
        return Problem("internal", "the photo could not be prepared; ask again later")
    return None


def _model_problem(error: Exception) -> Problem:
    if isinstance(error, EndedError | MemoryError):
        return retry_after("model_ended", f"what computes the model has no memory, or was ended: {error}", 5)
    return Problem("model_failed", "the model fails on this photo; send another one")


def _found(asked: Asked, outputs: QueryOutputs) -> Found:
    return Found(asked.loaded.engine.found(outputs, asked.question.k, [asked.question.wanted])[0])


def _explained(asked: Asked, outputs: QueryOutputs) -> Found:
    engine, question = asked.loaded.engine, asked.question
    results, explained = engine.explained(outputs, question.k, question.wanted)
    standing = engine.standing(outputs, question.item, question.k, question.wanted) if question.item else None
    return Found(results, explained, standing, asked.jpeg)
