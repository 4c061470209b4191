"""How far a release has moved from the live one: its items, its vectors and its results.

The counts over the catalogue are made in Beam; the rest is bounded by the number of queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from pipelines.evaluate.metrics import Metrics, mean, overlap_at
from pipelines.evaluate.sources import Sources, write_sum
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS


def count_items(jobs: Jobs, sources: Sources, theirs: str) -> Metrics:
    """Return the share of items that are new, and of `theirs` (a folder of items) that are gone."""

    def build(pipeline: beam.Pipeline) -> None:
        counts = (
            pipeline | CreateEach(range(sources.buckets)) | "Compare" >> beam.Map(partial(_compare, sources, theirs))
        )
        write_sum(sources, "drift_items", counts)

    jobs.run("drift", build)
    return shares("items", sources.counts("drift_items"))


def shares(of: str, counts: Mapping[str, int]) -> Metrics:
    """Return the shares of what is new among ours, and of what is gone among theirs; `of` is in the metrics' names."""
    ours, theirs, both = (counts.get(name, 0) for name in ("ours", "theirs", "both"))
    found: Metrics = {}
    if ours:
        found[f"drift.{of}_new"] = (ours - both) / ours
    if theirs:
        found[f"drift.{of}_removed"] = (theirs - both) / theirs
    return found


def cosine_distance(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return 1 - the cosine of two vectors."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return float(1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def query_distance(ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> float:
    """Return the mean cosine distance between two models' vectors `[n, dim]` of the same photos."""
    return float(np.mean([cosine_distance(a, b) for a, b in zip(ours, theirs, strict=True)]))


def overlap(ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]], k: int = 10) -> Metrics:
    """Return the mean overlap of the first `k` results of the same queries."""
    value = mean(overlap_at(a, b, k) for a, b in zip(ours, theirs, strict=True))
    return {} if value is None else {"drift.overlap_at_10": value}


def _compare(sources: Sources, theirs: str, bucket: int) -> Counter[str]:
    mine = read_bucket(sources.store, sources.items, bucket, ITEMS, ["item_id"])["item_id"]
    other = read_bucket(sources.store, theirs, bucket, ITEMS, ["item_id"])["item_id"]
    return Counter(ours=len(mine), theirs=len(other), both=int((index_of(mine, other) >= 0).sum()))
