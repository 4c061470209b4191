"""Evaluate dies before and after each of its jobs, and comes to what an undisturbed run comes to.

One attempt a job, on what the earlier attempts left: each does all jobs anew until it dies.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.evaluate.stage import run
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.sequence import run_stage
from pipelines.store import Log, initialise, open_store, parquet
from pipelines.telemetry.progress import Progress
from tests.evaluate.conftest import BUCKETS, Fake, config, fake_serve, write_run
from tests.jobs.killing import WHEN, are_all, jobs_noted, killed_at

STEPS = ("sample", "queries", "scan", "look-up", "histograms", "drift")
JOBS = tuple(f"evaluate-{step}" for step in STEPS)
TIMED = ("latency.", "qps.", "speedup.")
"""Metrics that are of the moment."""


@pytest.fixture(scope="module", autouse=True)
def served() -> Iterator[None]:
    """The exported model is replaced by what the runs' vectors say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.models.query_model.serve", fake_serve)
        yield


def context_in(folder: Path, run_id: str) -> RunContext:
    section = {
        "queries": 12,
        "examples": 2,
        "floors": {},
        "margins": {"retrieval.p_at_10": 0.5},
        "histogram_margin": -1,
    }
    settings = config(folder, evaluate=section)
    store = open_store(settings.store.uri)
    initialise(store, BUCKETS)
    return RunContext(settings, store, run_id, BUCKETS, Progress(quiet=True))


def evaluate(folder: Path) -> None:
    run_stage(context_in(folder, "second"), "evaluate", run)


def result(folder: Path) -> dict[str, Any]:
    """Return the ledger, and what the release holds but for its name and its parent's."""
    store = context_in(folder, "second").store
    manifest = read_manifest(store, "second", "evaluate")
    assert manifest is not None
    name = f"releases/{manifest['outputs']['release_id']}"
    release = store.read_json(f"{name}/manifest.json")
    kept = {key: release[key] for key in ("model", "index", "gates", "blessed", "refusal", "ledger")}
    found = {"counts": manifest["counts"], "rejects": manifest["rejects"], "release": kept}
    files = sorted(entry.name.removeprefix(f"{name}/") for entry in store.list(name))
    scores = parquet.decoded(store.read(f"{name}/queries.parquet"))
    metrics = store.read_json(f"{name}/metrics.json")
    of_content = {key: value for key, value in metrics.items() if not key.startswith(TIMED)}
    return found | {
        "files": files,
        "timed": sorted(metrics.keys() - of_content),
        "metrics": of_content,
        "scores": scores,
    }


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a live release and a second run that is to be evaluated."""
    folder = tmp_path_factory.mktemp("begun")
    first = context_in(folder, "first")
    write_run(first, Fake(items=60))
    live = run_stage(first, "evaluate", run)["outputs"]["release_id"]
    Log(first.store, "live").append(1, {"release_id": live, "action": "promote", "run_id": "first"})
    write_run(context_in(folder, "second"), Fake(items=60, noise=0.6), catalogue_id="cat-2")
    return folder


@pytest.fixture(scope="module")
def peaceful(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """The result of a run in peace, and the names of its jobs."""
    folder = tmp_path_factory.mktemp("peaceful")
    shutil.copytree(begun, folder, dirs_exist_ok=True)
    with jobs_noted() as ran:
        evaluate(folder)
    return result(folder), ran


def test_these_are_all_jobs(peaceful: tuple[dict[str, Any], list[str]]) -> None:
    assert are_all(JOBS, peaceful[1])


@pytest.mark.parametrize("when", WHEN)
def test_killed_at_every_job_one_after_the_other(
    when: str, begun: Path, peaceful: tuple[dict[str, Any], list[str]], tmp_path: Path
) -> None:
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    store = context_in(tmp_path, "second").store
    for job in JOBS:
        with killed_at(job, when):
            evaluate(tmp_path)
        assert read_manifest(store, "second", "evaluate") is None
        assert len(store.folders("releases")) == 1
    evaluate(tmp_path)
    assert len(store.folders("releases")) == 2
    assert result(tmp_path) == peaceful[0]
