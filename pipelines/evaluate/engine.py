"""An index as evaluate asks it: by `neighbours`, the very code that serves, with parts of its gallery by name."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
from pipelines.tables.arrays import Array, Floats, Ints
from pipelines.tables.arrow import index_of
from trainer.config import SAME_PHOTO

BATCH = 256
TIMED_S = 1.0
WHOLE = "whole"
NO_LINKS: Ints = np.zeros(0, np.int64)
SPARE_CODES = 4
"""Codes fetched for a result of a plain Hamming search: photos of one item, and the test split, drop out."""


@dataclass(frozen=True)
class Found:
    """One result: the item and its score."""

    item_id: str
    score: float


@dataclass(frozen=True)
class Unwanted:
    """What one query may not find: items, and a photo by its digest (of all items that show it)."""

    items: Collection[str] = ()
    photo: bytes = b""


class Engine:
    """An opened index and the plan that serves it."""

    def __init__(self, searcher: Searcher, plan: PlanConfig) -> None:
        self._searcher, self.plan = searcher, plan
        self._live = {WHOLE: searcher.parts.live_links}
        self._plans = {WHOLE: QueryPlan(searcher.parts, plan)}

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
        return set(self._photo_rows(digests))

    def photos(self, kind: str, outputs: QueryOutputs, k: int) -> list[list[bytes]]:
        """Return the photos that one kind of index finds, best first, at most `k` a query."""
        digests = self._searcher.rows.digests
        found = [self._rows(kind, outputs.take(part), k) for part in _batches(len(outputs))]
        return [[digests[row].tobytes() for row in rows if row >= 0] for block in found for rows in block]

    def add_gallery(
        self, name: str, items: pa.Array | pa.ChunkedArray, *, of: str = WHOLE, without: bool = False
    ) -> None:
        """Name a part of the gallery `of`: only some items of it, or all `without` them; unknown ids are fine."""
        rows = self._searcher.rows
        wanted = index_of(rows.all_item_ids, items) >= 0
        live = self._live[of] & (wanted != without)[rows.link_item]
        self._live[name] = live
        self._plans[name] = QueryPlan(replace(self._searcher.parts, live_links=live), self.plan)

    @property
    def num_items(self) -> int:
        """How many items can be found."""
        return len(self._searcher.rows.all_item_ids)

    def common_items(self, other: Engine) -> pa.Array:
        """Return the ids of the items that both indexes hold."""
        ours = self._searcher.rows.all_item_ids
        return ours.filter(pc.is_in(ours, value_set=other._searcher.rows.all_item_ids))

    def results(
        self, outputs: QueryOutputs, k: int, unwanted: Sequence[Unwanted] = (), gallery: str = WHOLE
    ) -> list[list[Found]]:
        """Return the plan's best `k` of each query in a gallery, without what is `unwanted`."""
        exclusions = self._exclusions(outputs, unwanted) if unwanted else None
        result = self._plans[gallery].run(outputs, k, exclusions)
        return self._found(result.links, result.scores)

    def candidates(self, outputs: QueryOutputs, k: int, unwanted: Sequence[Unwanted]) -> list[list[Found]]:
        """Return the best `k` of what the plan finds, by similarity alone: its weights are left out."""
        plan = QueryPlan(self._searcher.parts, unweighted(self.plan))
        result = plan.run(outputs, k, self._exclusions(outputs, unwanted))
        return self._found(result.links, result.scores)

    def coverage(
        self, outputs: QueryOutputs, unwanted: Sequence[Unwanted], leaves: Sequence[int]
    ) -> ScanCoverage | None:
        """Return how much of the codes the plan scans, and how often the leaf (its slot, -1 unknown) is among it."""
        binary = self._searcher.parts.binary
        if binary is None:
            return None
        result = self._plans[WHOLE].run(outputs, 10, self._exclusions(outputs, unwanted))
        return scan_coverage(result, binary.num_codes, binary.slots, leaves)

    def shows_again(
        self, outputs: QueryOutputs, items: Sequence[str], unwanted: Sequence[Unwanted], gallery: str = WHOLE
    ) -> list[bool]:
        """Tell of each query whether a gallery holds a photo of its item beside the unwanted one."""
        rows = self._searcher.rows
        exclusions = self._exclusions(outputs, unwanted)
        shown = []
        for item_id, exclusion in zip(items, exclusions, strict=True):
            links = np.concatenate([rows.links_of_item(item) for item in self._numbers([item_id])] or [NO_LINKS])
            links = links[self._live[gallery][links]]
            shown.append(bool((~np.isin(rows.link_row[links], exclusion.rows)).any()))
        return shown

    def by_code(self, outputs: QueryOutputs, k: int, unwanted: Sequence[Unwanted], gallery: str) -> list[list[Found]]:
        """Return the best `k` by Hamming distance alone, in all categories, one result an item or group."""
        parts, rows = self._searcher.parts, self._searcher.rows
        if parts.binary is None or outputs.hashes is None:
            raise ValueError("the index holds no binary kind: add 'binary' to index.kinds")
        depths = np.full(len(outputs), min(len(rows), SPARE_CODES * k), np.int64)
        live = self._live[gallery]
        keys = rows.link_group if self.plan.fold == "group" else rows.link_item
        links: list[Ints] = []
        for found, query in zip(parts.binary.search(outputs.hashes, None, depths), unwanted, strict=True):
            of_rows = rows.links_of_rows(found[found >= 0])
            of_rows = of_rows[live[of_rows] & ~np.isin(rows.link_item[of_rows], self._numbers(query.items))]
            links.append(fold(of_rows, -np.arange(len(of_rows), dtype=np.float32), keys[of_rows])[0][:k])
        return self._found(links, [-np.arange(len(of_query), dtype=np.float32) for of_query in links])

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

    def _found(self, links: Sequence[Ints], scores: Sequence[Array]) -> list[list[Found]]:
        results = self._searcher.rows.results(links, scores)
        return [[Found(result.item_id, result.score) for result in of_query] for of_query in results]

    def _exclusions(self, outputs: QueryOutputs, unwanted: Sequence[Unwanted]) -> list[Exclusion]:
        photos = self._photo_rows({query.photo for query in unwanted if query.photo})
        return [
            Exclusion(items=self._numbers(query.items), rows=self._alike(photos.get(query.photo, NO_LINKS), vector))
            for vector, query in zip(outputs.embeddings, unwanted, strict=True)
        ]

    def _alike(self, photo: Ints, vector: Floats) -> Ints:
        """Return the row of a query's photo, and those of its items that show the very same."""
        rows = self._searcher.rows
        if not len(photo):
            return photo
        items = np.unique(rows.link_item[rows.links_of_rows(photo)])
        near = np.unique(np.concatenate([rows.link_row[rows.links_of_item(int(item))] for item in items]))
        alike = np.asarray(self._searcher.vectors[near], np.float32) @ vector >= SAME_PHOTO
        return np.union1d(photo, near[alike])

    def _photo_rows(self, digests: Collection[bytes]) -> dict[bytes, Ints]:
        found = self._searcher.rows.rows_of_digests(digests)
        return {digest: np.array([row], np.int64) for digest, row in found.items()}

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
