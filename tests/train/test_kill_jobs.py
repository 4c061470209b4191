"""Train dies before and after each of its jobs, and trains on what an undisturbed run trains on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.config import Config
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import CatalogueOutputs
from pipelines.runs.sequence import run_stage
from pipelines.store import open_store
from pipelines.tables.taxonomy import extend_taxonomy, read_taxonomy, values_of
from pipelines.telemetry.progress import Progress
from pipelines.train import launch, stage
from pipelines.train.examples import Examples
from tests.cli.killing import what_it_did
from tests.jobs.killing import WHEN, are_all, jobs_noted, killed_at
from tests.train.conftest import BUCKETS, FakeTraining
from tests.train.photos import Shown, prepare, read

JOBS = ("train-attributes", "train-examples")
SHOWN = [Shown(f"b{n}", n, colour="red" if n % 2 else "blue") for n in range(1, 13)]
SHOWN += [Shown(f"c{n}", n, leaf="shoes > clogs", split="val" if n % 3 else "train") for n in range(21, 30)]
SHOWN += [Shown("d", 1, leaf="shoes > clogs"), Shown("e", 40, split="test")]
SETTINGS = {"attributes": ["colour"], "min_attribute_images": 2, "min_images": 5, "max_images": 1000}


@pytest.fixture(autouse=True)
def training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTraining:
    """Replace the training alone."""
    fake = FakeTraining()
    monkeypatch.setattr(launch, "run_in_subprocess", fake)
    monkeypatch.setattr(stage.tempfile, "gettempdir", lambda: str(tmp_path))
    return fake


def shop_in(folder: Path) -> RunContext:
    store = open_store(str(folder / "store"))
    prepare(store, "r", SHOWN)
    store.create_json("runs/r/catalogue/manifest.json", {"outputs": CatalogueOutputs("c1", 0, {}).as_json()})
    extend_taxonomy(store, [*values_of(["shoes", "boots"]), *values_of(["shoes", "clogs"])])
    columns = {"item_id": "i", "photos": "p", "category": "c", "attributes": {"colour": "x"}}
    raw = {"store": {"uri": store.uri}, "catalogue": {"snapshot": "feed.csv", "columns": columns}}
    config = Config.model_validate({**raw, "preprocess": {"height": 24, "width": 16}, "train": SETTINGS})
    return RunContext(config, store, "r", BUCKETS, Progress(quiet=True))


def train(context: RunContext) -> None:
    run_stage(context, "train", stage.run)


def result(context: RunContext) -> dict[str, Any]:
    manifest = read_manifest(context.store, "r", "train")
    assert manifest is not None
    examples = Examples(**context.store.read_json("models/model1/model.json")["lineage"]["examples"])
    learned = {split: read(context.store, examples, split) for split in ("train", "val")}
    taxonomy = read_taxonomy(context.store)
    return {"manifest": what_it_did(manifest), "examples": examples, "learned": learned, "taxonomy": taxonomy}


def test_killed_at_each_job(tmp_path: Path, training: FakeTraining) -> None:
    context = shop_in(tmp_path / "peaceful")
    with jobs_noted() as ran:
        train(context)
    assert are_all(JOBS, ran)
    wanted = result(context)
    assert wanted["examples"].rejects == {"leaf_disagrees": 1}
    for job, when in [(job, when) for job in JOBS for when in WHEN]:
        context, training.specs = shop_in(tmp_path / f"{job} {when}"), []
        with killed_at(job, when):
            train(context)
        assert read_manifest(context.store, "r", "train") is None
        assert not training.specs
        assert not list(context.store.list("models"))
        train(context)
        assert result(context) == wanted, f"killed {when} {job}"
