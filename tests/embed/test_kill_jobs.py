"""Embed dies before and after each of its jobs, and comes to what an undisturbed run comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.embed import stage
from pipelines.runs.manifest import read_manifest
from pipelines.runs.sequence import run_stage
from pipelines.store import UnitTable, initialise
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import RESOLVED_VECTORS
from tests.cli.killing import what_it_did
from tests.embed.world import BUCKETS, World, drawn
from tests.jobs.killing import WHEN, are_all, jobs_noted, killed_at

JOBS = ("embed-plan", "embed-units", "embed-resolve")
TABLE = "embeddings/model-a/model-a"


def world_in(folder: Path, exported: dict[str, Path]) -> World:
    store = FolderStore(folder)
    initialise(store, BUCKETS)
    world = World(store, exported)
    world.add_model("model-a")
    world.add_images("unit-1", {n: drawn(n) for n in range(10)})
    world.start_run("r", [(n, "unit-1", n) for n in range(10)], "model-a", "model-a")
    return world


def embed(world: World) -> None:
    run_stage(world.context("r"), "embed", stage.run)


def vectors(world: World) -> dict[bytes, np.ndarray]:
    """The vectors that the run's resolved table names, by digest."""
    rows = [read_bucket(world.store, "runs/r/embed/vectors", b, RESOLVED_VECTORS) for b in range(BUCKETS)]
    found, table = {}, UnitTable(world.store, TABLE)
    for row in pa.concat_tables(rows).to_pylist():
        kept = table.read_rows(row["unit_id"], [row["row"]], ["embedding"])
        found[row["digest"]] = np.frombuffer(kept["embedding"][0].as_py(), "<f2")
    return found


def result(world: World) -> dict[str, Any]:
    manifest = read_manifest(world.store, "r", "embed")
    assert manifest is not None
    return what_it_did(manifest)


@pytest.fixture(scope="module")
def peaceful(exported: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[World, list[str]]:
    """The world after a run in peace, and the names of its jobs."""
    world = world_in(tmp_path_factory.mktemp("peaceful"), exported)
    with jobs_noted() as ran:
        embed(world)
    return world, ran


def test_these_are_all_jobs(peaceful: tuple[World, list[str]]) -> None:
    assert are_all(JOBS, peaceful[1])


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("job", JOBS)
def test_killed_at_a_job(
    job: str, when: str, peaceful: tuple[World, list[str]], exported: dict[str, Path], tmp_path: Path
) -> None:
    world = world_in(tmp_path / "store", exported)
    with killed_at(job, when):
        embed(world)
    assert read_manifest(world.store, "r", "embed") is None
    table = UnitTable(world.store, TABLE)
    before = {unit_id: table.data_name(unit_id) for unit_id in table.unit_ids()}
    assert bool(before) == ((job, when) not in {(JOBS[0], "before"), (JOBS[0], "after"), (JOBS[1], "before")})
    embed(world)
    assert {unit_id: table.data_name(unit_id) for unit_id in before} == before  # no photo was inferred twice
    assert result(world) == result(peaceful[0])
    found, wanted = vectors(world), vectors(peaceful[0])
    assert found.keys() == wanted.keys()
    assert all(np.allclose(found[digest], wanted[digest], atol=1e-3) for digest in wanted)
