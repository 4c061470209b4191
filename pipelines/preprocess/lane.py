"""One lane: units that one worker does side by side, so that a slow photo of one does not hold up the next.

Photos behind addresses are asked for in the order of the units, as many at once as `fetch.in_flight` says; what came is
decoded by threads, and kept part by part until its unit is whole. Photos that are files are read by the same threads.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Any

import pyarrow as pa

from pipelines.jobs.units import Unit
from pipelines.preprocess.addresses import arrived, failed, unchanged
from pipelines.preprocess.job import Job
from pipelines.preprocess.outcomes import Outcome
from pipelines.preprocess.parts import ORIGINALS, Parts, commit_originals
from pipelines.preprocess.tallies import keep_tallies, written
from pipelines.preprocess.unit_work import commit_unit, read_todo
from pipelines.shop_files.web.client import Answer
from pipelines.shop_files.web.failures import WebError
from pipelines.shop_files.web.memory import Memory
from pipelines.shop_files.web.web import PASSING, Web
from pipelines.store import UnitTable

FLUSHED_S = 0.5
"""How often what came is kept: so much is fetched again after a kill, and what is in flight."""


@dataclass
class Assembly:
    """A unit that is being done: its rows (TODO), and what became of those that are done."""

    unit_id: str
    rows: list[dict[str, Any]]
    todo: pa.Table
    parts: Parts
    done: set[int]
    fresh: dict[int, Outcome] = field(default_factory=dict)
    originals: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def begin(cls, job: Job, unit: Unit) -> Assembly:
        """Return a unit with what an earlier attempt has kept of it."""
        todo, parts = read_todo(job, unit), Parts(job.store, job.prefix, unit.unit_id)
        return cls(unit.unit_id, todo.to_pylist(), todo, parts, parts.places())

    def add(self, place: int, outcome: Outcome, original: bytes | None) -> None:
        """Take what became of a row."""
        self.fresh[place] = outcome
        self.done.add(place)
        if original is not None:
            self.originals[place] = original

    def taken(self) -> tuple[dict[int, Outcome], dict[int, bytes]]:
        """Return what came since the last time, for it to be kept; called where rows are added."""
        taken = self.fresh, self.originals
        self.fresh, self.originals = {}, {}
        return taken

    def commit(self, job: Job) -> None:
        """Commit the unit, whose rows are all done: originals and images first, then the sources that end it."""
        if job.preparer.fetching.keep_originals:
            last = ((o.digest, self.originals[p]) for p, o in self.fresh.items() if p in self.originals and o.digest)
            commit_originals(job.store, chain(self.parts.originals(), last))
        outcomes = self.parts.read() | self.fresh
        commit_unit(job, self.unit_id, job.preparer.tables(self.todo, [outcomes[p] for p in range(len(self.rows))]))
        self.parts.drop()


def run_lane(units: Sequence[Unit], job: Job) -> None:
    """Do the units of a lane that are not committed. Raises StageError when a bucket cannot be asked."""
    sources, images = UnitTable(job.store, "sources"), UnitTable(job.store, job.images)
    left = [unit for unit in units if not (sources.has(unit.unit_id) and images.has(unit.unit_id))]
    if left:
        try:
            asyncio.run(_Lane(job, left).run())
        except BaseExceptionGroup as errors:  # of the tasks; whoever waits wants the error itself
            raise _first(errors) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Lane:
    def __init__(self, job: Job, units: list[Unit]) -> None:
        self._job, self._units, self._name = job, units, uuid.uuid4().hex
        self._open: dict[str, Assembly] = {}
        self._keeping = asyncio.Lock()
        self._places = asyncio.Semaphore(job.preparer.fetching.in_flight)
        self._reading = asyncio.Semaphore(job.preparer.threads)

    async def run(self) -> None:
        preparer = self._job.preparer
        web = Web(preparer.fetching, preparer.limits.max_bytes, self._job.store)
        with ThreadPoolExecutor(preparer.threads, "decode") as self._decoders:
            async with web as self._web, asyncio.TaskGroup() as keeping:
                keeper = keeping.create_task(self._keep())
                async with asyncio.TaskGroup() as tasks:
                    for unit in self._units:
                        assembly = await asyncio.to_thread(Assembly.begin, self._job, unit)
                        self._open[unit.unit_id] = assembly
                        await self._begin(tasks, assembly)
                keeper.cancel()
            keep_tallies(self._job, self._name, written(self._web.tallies))

    async def _begin(self, tasks: asyncio.TaskGroup, assembly: Assembly) -> None:
        """Begin every row that is left, as places become free."""
        left = [place for place in range(len(assembly.rows)) if place not in assembly.done]
        if not left:
            await self._end(assembly)
        kept = [place for place in left if assembly.rows[place]["original_unit"]]
        kept.sort(key=lambda place: (assembly.rows[place]["original_unit"], assembly.rows[place]["original_row"]))
        for unit_id, of_unit in groupby(kept, lambda place: assembly.rows[place]["original_unit"]):
            await self._reading.acquire()
            tasks.create_task(self._of_originals(assembly, unit_id, list(of_unit)))
        for place in left:
            if not assembly.rows[place]["original_unit"]:
                await self._places.acquire()
                tasks.create_task(self._one(assembly, place))

    async def _of_originals(self, assembly: Assembly, unit_id: str, places: list[int]) -> None:
        """Prepare rows whose originals are in one unit, which is read once: in a bucket a row costs the whole unit."""
        rows = [assembly.rows[place]["original_row"] for place in places]
        try:
            table = await asyncio.to_thread(UnitTable(self._job.store, ORIGINALS).read_rows, unit_id, rows)
            for place, data in zip(places, table["original"].to_pylist(), strict=True):
                outcome = await self._decoded(self._job.preparer.prepare_bytes, data, None)
                await self._add(assembly, place, replace(outcome, asked=False), None)
        finally:
            self._reading.release()

    async def _one(self, assembly: Assembly, place: int) -> None:
        try:
            outcome, original = await self._outcome(assembly.rows[place])
        finally:
            self._places.release()
        await self._add(assembly, place, outcome, original)

    async def _add(self, assembly: Assembly, place: int, outcome: Outcome, original: bytes | None) -> None:
        assembly.add(place, outcome, original)
        if len(assembly.done) == len(assembly.rows):
            await self._end(assembly)

    async def _outcome(self, row: dict[str, Any]) -> tuple[Outcome, bytes | None]:
        """Return what became of a row, and its bytes where they are to be kept."""
        preparer, uri, known = self._job.preparer, row["image_uri"], row["digest"]
        address = preparer.fetcher.address(uri)
        if address is None:
            return await self._decoded(preparer.prepare_one, uri, known), None
        memory = Memory.of(row["fingerprint"])
        try:
            answer = await self._web.fetch(address, memory if known is not None else None)
        except WebError as error:
            without = failed if error.code in PASSING else preparer.ages.without
            return without(error.code, error.detail, known, memory), None
        if answer.body is None and known is not None:
            return unchanged(known, memory, answer.etag, answer.modified), None
        return await self._prepared(address, answer, known, memory)

    async def _prepared(
        self, address: str, answer: Answer, known: bytes | None, memory: Memory
    ) -> tuple[Outcome, bytes | None]:
        preparer, body = self._job.preparer, answer.body or b""
        outcome = await self._decoded(preparer.prepare_bytes, body, known)
        if outcome.refusal:
            self._web.gave_none(address, outcome.refusal)
            return preparer.ages.without(outcome.refusal, outcome.detail, known, memory), None
        return arrived(outcome, answer.etag, answer.modified), body if preparer.fetching.keep_originals else None

    async def _decoded(self, work: Callable[..., Outcome], *given: Any) -> Outcome:
        return await asyncio.get_running_loop().run_in_executor(self._decoders, work, *given)

    async def _end(self, assembly: Assembly) -> None:
        async with self._keeping:
            await asyncio.to_thread(assembly.commit, self._job)
            del self._open[assembly.unit_id]

    async def _keep(self) -> None:
        """Keep what came, and say how far it is, again and again until it is cancelled."""
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(FLUSHED_S)
                async with self._keeping:
                    for assembly in list(self._open.values()):
                        fresh, originals = assembly.taken()
                        if fresh:
                            await asyncio.to_thread(assembly.parts.write, fresh, originals)
                    await asyncio.to_thread(keep_tallies, self._job, self._name, written(self._web.tallies))
