"""The table of similar items: the best of every active item, by the very search that answers `search --item`.

Owns its Beam step. The item itself, its duplicates and its variants are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.utils.shared import Shared

from pipelines.curated.settled import settled
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.settings import PlanConfig
from pipelines.store import Store
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import bucket_name, read_bucket, write_bucket
from pipelines.tables.schemas import INDEX_ITEMS, SIMILAR


@dataclass(frozen=True)
class Completion:
    """What is added to a built index at `target`: its items, gathered below `folder`, and `count` similar of each.

    `curated` names the decisions of curators that the run keeps to.
    """

    store: Store
    folder: str
    target: str
    plan: PlanConfig
    count: int
    curated: str = ""


class CompleteBuckets(beam.DoFn):
    """Writes the items and similar items of buckets, with an index that is opened once a process."""

    def __init__(self, completion: Completion, shared: Shared) -> None:
        super().__init__()
        self._completion, self._shared = completion, shared
        self._opened: Any = None

    def setup(self) -> None:
        """Open the index, or take the one that this process holds."""
        self._opened = self._shared.acquire(lambda: _Opened(self._completion), self._completion.target)

    def process(self, bucket: int) -> None:
        """Write one bucket; what is there already stays."""
        job = self._completion
        if job.store.exists(f"{job.target}/items/{bucket_name(bucket)}"):
            return
        items = read_bucket(job.store, f"{job.folder}/items", bucket, INDEX_ITEMS)
        items = items.filter(pa.array(index_of(items["item_id"], self._opened.item_ids) >= 0))
        if items.num_rows and job.count:
            ids = items["item_id"].to_pylist()
            found = similar_table(self._opened.searcher, ids, job.plan, job.count)
            write_bucket(job.store, f"{job.target}/similar", bucket, found)
        if items.num_rows:
            write_bucket(job.store, f"{job.target}/items", bucket, items)  # the bucket is complete from here on


@dataclass
class _Opened:
    """An index on a local path for as long as it is used."""

    completion: Completion
    searcher: Searcher = field(init=False)
    item_ids: pa.Array = field(init=False)

    def __post_init__(self) -> None:
        self._staged = self.completion.store.stage_in(self.completion.target)
        path: Path = self._staged.__enter__()
        apart = settled(self.completion.store, self.completion.curated).apart
        kinds = self.completion.plan.kinds if self.completion.count else ()
        self.searcher = Searcher.open(path, kinds, apart=apart)
        self.item_ids = pa.array(self.searcher.rows.item_ids(), pa.string())


def similar_table(searcher: Searcher, item_ids: Sequence[str], plan: PlanConfig, count: int) -> pa.Table:
    """Return SIMILAR of some items: for each up to `count` others, rank 1 the most similar."""
    hits = searcher.search_items(item_ids, count, plan)
    lengths = [len(of_item) for of_item in hits]
    return pa.table(
        [
            pa.array(np.repeat(np.array(item_ids, object), lengths), pa.string()),
            pa.array([rank for length in lengths for rank in range(1, length + 1)], pa.int32()),
            pa.array([hit.item_id for of_item in hits for hit in of_item], pa.string()),
            pa.array([hit.score for of_item in hits for hit in of_item], pa.float32()),
        ],
        schema=SIMILAR,
    )


def complete(completion: Completion, jobs: Jobs, buckets: int, memory_bytes: int) -> None:
    """Run the step over all buckets of items, where there is as much memory."""

    def build(pipeline: beam.Pipeline) -> None:
        hints = jobs.hints(min_ram=memory_bytes)
        step = beam.ParDo(CompleteBuckets(completion, Shared())).with_resource_hints(**hints)
        _ = pipeline | "Buckets" >> CreateEach(range(buckets)) | "Complete" >> step

    jobs.run("complete", build)
