"""What evaluate asks of an index: the only module here that knows the index package.

Owns the calls into `pipelines.index`, so that what is measured is the very code that serves.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.kinds.base import blocks
from pipelines.neighbours.kinds.rerank import rerank
from pipelines.neighbours.query.coverage import ScanCoverage, scan_coverage
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.query.plan import QueryPlan
from pipelines.neighbours.query.ranking import fold
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.rows import UnknownItemError
from pipelines.neighbours.settings import PlanConfig
from pipelines.tables.arrays import Ints

BATCH = 256
BLOCK_ROWS = 65_536
TIMED_S = 1.0
SPARE_CODES = 4
"""Codes fetched for a result of a plain Hamming search: photos of one item, and the test split, drop out."""


@dataclass(frozen=True)
class Found:
    """One result: the item and its score."""

    item_id: str
    score: float


class Engine:
    """An opened index and the plan that serves it."""

    def __init__(self, searcher: Searcher, plan: PlanConfig) -> None:
        self._searcher, self.plan = searcher, plan
        self._plans: dict[bool, QueryPlan] = {False: QueryPlan(searcher.parts, plan)}
        self._kept_links = searcher.parts.live_links

    @classmethod
    def open(cls, folder: Path, plan: PlanConfig) -> Engine:
        """Open an index folder with all its kinds."""
        return cls(Searcher.open(folder), plan)

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of index that can be searched, exact first."""
        parts = self._searcher.parts
        return ["exact", *(kind for kind in parts.indexes if kind != "exact"), *(["binary"] if parts.binary else [])]

    def held(self, digests: Collection[bytes]) -> set[bytes]:
        """Return which of some photos the index holds."""
        found: set[bytes] = set()
        starts = np.array(sorted({int.from_bytes(digest[:8], "little") for digest in digests}), np.uint64)
        stored = self._searcher.rows.digests
        for part in blocks(len(stored), BLOCK_ROWS):
            near = np.isin(np.ascontiguousarray(stored[part, :8]).view("<u8")[:, 0], starts)
            found.update(row.tobytes() for row in stored[part][near])
        return found.intersection(digests)

    def photos(self, kind: str, outputs: QueryOutputs, k: int) -> list[list[bytes]]:
        """Return the photos that one kind of index finds, best first, at most `k` a query."""
        digests = self._searcher.rows.digests
        found = [self._rows(kind, outputs.take(part), k) for part in _batches(len(outputs))]
        return [[digests[row].tobytes() for row in rows if row >= 0] for block in found for rows in block]

    def leave_out(self, dead_items: Collection[str]) -> None:
        """Prepare the plan without some items, for `results` with `kept`."""
        live = self._searcher.rows.live_links(dead_items) & self._searcher.parts.live_links
        self._plans[True] = QueryPlan(replace(self._searcher.parts, live_links=live), self.plan)
        self._kept_links = live

    def results(
        self, outputs: QueryOutputs, k: int, own: Sequence[Collection[str]] = (), *, kept: bool = False
    ) -> list[list[Found]]:
        """Return the plan's best `k` of each query, without its `own` items; `kept`: nor what `leave_out` named."""
        exclusions = [Exclusion(items=self._numbers(items)) for items in own] if own else None
        result = self._plans[kept].run(outputs, k, exclusions)
        hits = self._searcher.rows.hits(result.links, result.scores)
        return [[Found(hit.item_id, hit.score) for hit in of_query] for of_query in hits]

    def candidates(self, outputs: QueryOutputs, k: int, own: Sequence[Collection[str]]) -> list[list[Found]]:
        """Return the best `k` of what the plan finds, by similarity alone: its weights are left out."""
        plan = QueryPlan(self._searcher.parts, unweighted(self.plan))
        result = plan.run(outputs, k, [Exclusion(items=self._numbers(items)) for items in own])
        hits = self._searcher.rows.hits(result.links, result.scores)
        return [[Found(hit.item_id, hit.score) for hit in of_query] for of_query in hits]

    def coverage(
        self, outputs: QueryOutputs, own: Sequence[Collection[str]], leaves: Sequence[int]
    ) -> ScanCoverage | None:
        """Return how much of the codes the plan scans, and how often the leaf (its slot, -1 unknown) is among it."""
        binary = self._searcher.parts.binary
        if binary is None:
            return None
        result = self._plans[False].run(outputs, 10, [Exclusion(items=self._numbers(items)) for items in own])
        return scan_coverage(result, binary.num_codes, binary.slots, leaves)

    def by_code(
        self, outputs: QueryOutputs, k: int, own: Sequence[Collection[str]], *, kept: bool
    ) -> list[list[Found]]:
        """Return the best `k` by Hamming distance alone, in all categories, one result an item or group."""
        parts, rows = self._searcher.parts, self._searcher.rows
        if parts.binary is None or outputs.hashes is None:
            raise ValueError("the index holds no binary kind: add 'binary' to index.kinds")
        depths = np.full(len(outputs), min(len(rows), SPARE_CODES * k), np.int64)
        live = self._kept_links if kept else parts.live_links
        keys = rows.link_group if self.plan.fold == "group" else rows.link_item
        links: list[Ints] = []
        for found, items in zip(parts.binary.search(outputs.hashes, None, depths), own, strict=True):
            of_rows = rows.links_of_rows(found[found >= 0])
            of_rows = of_rows[live[of_rows] & ~np.isin(rows.link_item[of_rows], self._numbers(items))]
            links.append(fold(of_rows, -np.arange(len(of_rows), dtype=np.float32), keys[of_rows])[0][:k])
        hits = rows.hits(links, [-np.arange(len(of_query), dtype=np.float32) for of_query in links])
        return [[Found(hit.item_id, hit.score) for hit in of_query] for of_query in hits]

    def queries_per_second(self, kind: str, outputs: QueryOutputs, k: int = 10) -> float:
        """Time one kind of index, or the whole "plan", in batches, for at least a second."""

        def search(part: Ints) -> None:
            if kind == "plan":
                self.results(outputs.take(part), k)
            else:
                self._rows(kind, outputs.take(part), k)

        search(next(_batches(len(outputs))))  # warm the caches and the threads
        started, done = time.perf_counter(), 0
        while time.perf_counter() - started < TIMED_S:
            for part in _batches(len(outputs)):
                search(part)
                done += len(part)
        return done / (time.perf_counter() - started)

    def latencies_ms(self, outputs: QueryOutputs, k: int = 10) -> list[float]:
        """Return the milliseconds of the plan for each query, one at a time."""
        found = []
        for query in range(len(outputs)):
            one = outputs.take(np.array([query]))
            started = time.perf_counter()
            self.results(one, k)
            found.append(1000 * (time.perf_counter() - started))
        return found

    def _rows(self, kind: str, outputs: QueryOutputs, k: int) -> Ints:
        parts = self._searcher.parts
        k = min(k, len(self._searcher.rows))
        if kind != "binary":
            return parts.indexes.get(kind, parts.exact).search(outputs.embeddings, k).rows
        if parts.binary is None or outputs.hashes is None:
            raise ValueError("the index holds no binary kind: add 'binary' to index.kinds")
        count = len(self._searcher.rows)
        depth = np.clip(np.ceil(self.plan.depth_fraction * count), max(k, self.plan.depth_min), self.plan.depth_max)
        rows = parts.binary.search(outputs.hashes, None, np.full(len(outputs), min(count, int(depth)), np.int64))
        return rerank(parts.vectors, outputs.embeddings, rows, k).rows

    def _numbers(self, item_ids: Collection[str]) -> Ints:
        found = []
        for item_id in item_ids:
            try:
                found.append(self._searcher.rows.item(item_id))
            except UnknownItemError:
                continue
        return np.array(sorted(found), np.int64)


def unweighted(plan: PlanConfig) -> PlanConfig:
    """Return a plan that finds what `plan` finds, and ranks by similarity alone."""
    return replace(plan, category_weight=0.0, attribute_weights={}, signal_weights={})


def _batches(count: int) -> Iterator[Ints]:
    return (np.arange(part.start, part.stop) for part in blocks(count, BATCH))
