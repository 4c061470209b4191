"""What travels with the jobs does not grow with the queries: they reach the workers through the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest

from pipelines.evaluate.asked import fetch
from pipelines.evaluate.labels import look_up
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.truth import Scan, best_of_gallery
from pipelines.store.folder import FolderStore

MOST_BYTES = 100_000


class MeasuredError(Exception):
    """The graph was measured; nothing is run."""


class GraphSize:
    """Stands for the stage's jobs."""

    bytes_of_graph = 0

    def run(self, _: str, build: Callable[[beam.Pipeline], Any]) -> None:
        pipeline = beam.Pipeline()
        build(pipeline)
        self.bytes_of_graph = pipeline.to_runner_api().ByteSize()
        raise MeasuredError


def scan_all(jobs: Any, sources: Sources, count: int) -> None:
    own = tuple(frozenset({number, number + 1}) for number in range(count))
    nothing = np.zeros(count, np.uint64)
    best_of_gallery(jobs, sources, Scan(np.zeros((count, 512), np.float32), nothing, own, nothing.astype(bool)))


def fetch_all(jobs: Any, sources: Sources, count: int) -> None:
    digests = [number.to_bytes(32, "big") for number in range(count)]
    fetch(jobs, sources, pa.chunked_array([pa.array(digests, pa.binary(32))]))


def look_all_up(jobs: Any, sources: Sources, count: int) -> None:
    look_up(jobs, sources, [f"item-{number:09d}" for number in range(100 * count)])


@pytest.mark.parametrize("ask", [scan_all, fetch_all, look_all_up])
def test_a_graph_is_as_large_for_5000_queries_as_for_5(ask: Callable[..., None], tmp_path: Path) -> None:
    sizes = []
    for count in (5, 5000):
        jobs = GraphSize()
        store = FolderStore(tmp_path / str(count))
        sources = Sources(store, "work", 8, "items", "photos", "vectors", "space", (), ("main",), 9, "item")
        with pytest.raises(MeasuredError):
            ask(jobs, sources, count)
        sizes.append(jobs.bytes_of_graph)
    assert sizes[1] - sizes[0] < 100
    assert sizes[1] < MOST_BYTES
