"""A store as preprocess leaves it, with or without a live model, and a training that takes no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, PreprocessOutputs
from pipelines.store import Log, Store, open_store
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import ITEMS, ORIGINS, RESOLVED_PHOTOS
from pipelines.tables.taxonomy import extend_taxonomy, values_of
from pipelines.telemetry.progress import Progress
from pipelines.train import launch, stage
from pipelines.train.examples import Examples
from pipelines.train.vertex_job import VERTEX_JSON, VertexJob
from tests.models.model_json import model_json
from trainer.config import CHECKPOINT_LINE, TrainOutcome, TrainSpec

BUCKETS, PREP = 2, "24x16-q95-v1"
MakeContext = Callable[..., RunContext]


def write_items(
    store: Store, catalogue_id: str, item_ids: Iterable[str], labels: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Write a catalogue's items, boots without a colour unless `labels` give an item's (leaf, colour)."""
    ids, labels = list(item_ids), labels or {}
    for bucket in range(BUCKETS):
        rows = []
        for name in sorted(ids):
            if bucket_of(name, BUCKETS) == bucket:
                leaf, colour = labels.get(name, ("shoes > boots", ""))
                row = {"item_id": name, "group_id": "", "category": leaf.split(" > "), "title": ""}
                rows.append({**row, "attributes": [("colour", colour)]})
        write_bucket(store, f"catalogue/{catalogue_id}/items", bucket, pa.Table.from_pylist(rows, ITEMS))


def write_corrected(store: Store, catalogue_id: str, item_ids: Iterable[str], corrected: Iterable[str]) -> None:
    """Write which of a catalogue's items the shop has corrected, as the catalogue stage does."""
    wanted = set(corrected)
    for bucket in range(BUCKETS):
        ids = [item_id for item_id in sorted(item_ids) if bucket_of(item_id, BUCKETS) == bucket]
        rows = [{"item_id": item_id, "feed": "snapshot", "is_corrected": item_id in wanted} for item_id in ids]
        write_bucket(store, f"catalogue/{catalogue_id}/origins", bucket, pa.Table.from_pylist(rows, ORIGINS))


def write_photos(store: Store, run_id: str, photos: Mapping[str, int], split: str = "train") -> None:
    """Write which photos preprocess has resolved: so many of each item."""
    for bucket in range(BUCKETS):
        rows = [
            {"item_id": name, "role": "main", "split": split, "code": "", "digest": f"{name}-{n}".encode().rjust(32)}
            for name, count in photos.items()
            for n in range(count)
            if bucket_of(name, BUCKETS) == bucket
        ]
        write_bucket(store, f"runs/{run_id}/preprocess/photos", bucket, pa.Table.from_pylist(rows, RESOLVED_PHOTOS))


def finish_preprocess(store: Store, run_id: str, catalogue_id: str, prep_id: str = PREP) -> None:
    """Write what catalogue and preprocess tell later stages; the catalogue is in no log, so no category is retired."""
    catalogue = CatalogueOutputs(catalogue_id, 0, {}).as_json()
    store.create_json(f"runs/{run_id}/catalogue/manifest.json", {"outputs": catalogue})
    outputs = PreprocessOutputs(prep_id, catalogue_id, f"runs/{run_id}/preprocess/photos", 240).as_json()
    store.create_json(f"runs/{run_id}/preprocess/manifest.json", {"outputs": outputs})


def go_live(store: Store, model_id: str) -> None:
    """Promote a release of the model."""
    number, _ = Log(store, "live").head()
    manifest = {"release_id": f"of-{model_id}", "model": {"model_id": model_id}}
    store.create_json(f"releases/of-{model_id}/manifest.json", manifest)
    Log(store, "live").append(number + 1, {"release_id": f"of-{model_id}"})


@dataclass
class FakeTraining:
    """Stands for the TFX process: notes what it was told, and leaves the files that a training leaves."""

    specs: list[TrainSpec] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    jobs: list[VertexJob] = field(default_factory=list)
    refused: str | None = None
    dies_after: int | None = None
    found: list[list[str]] = field(default_factory=list)

    def __call__(self, spec: TrainSpec, progress: Callable[[str], None], module: str) -> TrainOutcome:
        assert spec.baseline is None or Path(spec.baseline, "saved_model", "saved_model.pb").is_file()
        assert spec.parent is None or Path(spec.parent, "weights.npz").is_file()
        self.specs.append(spec)
        self.modules.append(module)
        work, checkpoints = Path(spec.work), Path(spec.checkpoints)
        self.found.append(sorted(path.name for path in checkpoints.iterdir()))
        if self.dies_after is not None:
            for suffix in ("index", "data-00000-of-00001"):
                (checkpoints / f"ckpt-{self.dies_after}.{suffix}").write_bytes(b"weights")
            progress(f"{CHECKPOINT_LINE}{self.dies_after}")
            raise StageError("training failed in Trainer: the loss is nan")
        if (work / VERTEX_JSON).is_file():
            self.jobs.append(VertexJob.load(work / VERTEX_JSON))
        export = work / "export"
        export.mkdir(parents=True, exist_ok=True)
        (export / "saved_model.pb").write_bytes(b"graph")
        (work / "weights.npz").write_bytes(b"weights")
        facts = model_json(f"model{len(self.specs)}", prep_id=spec.prep_id, levels=[[0], [0, 1]])
        (work / "model.json").write_text(json.dumps(facts))
        return TrainOutcome(str(export), self.refused, {})


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTraining:
    """Replace the training, the examples and the folder of checkpoints; the test sees what a training was told."""
    fake = FakeTraining()

    def examples(context: RunContext, *_: Any) -> Examples:
        context.store.create("examples/all/Split-train/0.gz", b"")
        counts, rejects, details = {"train": 500, "val": 50}, {"leaf_disagrees": 3}, {"leaf_disagrees": "a: b / c"}
        return Examples("examples/all", "runs/all/train/photos", 600, counts, rejects, details, "one-checksum")

    monkeypatch.setattr(launch, "run_in_subprocess", fake)
    monkeypatch.setattr("pipelines.train.examples.build_examples", examples)
    monkeypatch.setattr("pipelines.train.attributes.give_slots", lambda _: [])
    monkeypatch.setattr(stage.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    return fake


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of four items in two leaves of one top category."""
    opened = open_store(str(tmp_path / "store"))
    write_items(opened, "c1", ["a", "b", "c", "d"])
    Log(opened, "catalogue/log").append(1, {"catalogue_id": "c1", "counts": {"items": 4}})
    extend_taxonomy(opened, [*values_of(["shoes", "boots"]), *values_of(["shoes", "clogs"])])
    finish_preprocess(opened, "r1", "c1")
    return opened


@pytest.fixture
def make_context(store: Store) -> MakeContext:
    """A function from a run id and the keys of [train] to a run's context."""

    def make(run_id: str = "r1", **train: Any) -> RunContext:
        columns = {"item_id": "i", "photos": "p", "category": "c"}
        raw = {"store": {"uri": store.uri}, "catalogue": {"snapshot": "feed.csv", "columns": columns}}
        config = Config.model_validate({**raw, "preprocess": {"height": 24, "width": 16}, "train": train})
        return RunContext(config, store, run_id, BUCKETS, Progress(quiet=True))

    return make
