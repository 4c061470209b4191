"""Embed against the fastest bare loop over the same prepared photos, and against Beam's RunInference.

    python -m benchmarks.bench_embed
    python -m benchmarks.bench_embed --photos FOLDER --trunk resnet50 --height 224 --width 224 --batch 64 --count 512

The three take turns in one process on the same units until each has worked for `--seconds`. Start-up (Beam, loading the
model) is reported apart. The last result stays in benchmarks/results/. Expected: 0.95 of the bare loop or more.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import keras
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.utils.shared import Shared

from benchmarks.photos import photos_of
from pipelines.config import BeamSection
from pipelines.embed.infer import BATCHES_AHEAD
from pipelines.embed.model import Embedder
from pipelines.embed.prefetch import prefetch
from pipelines.embed.todo import TODO
from pipelines.embed.work import UNITS_A_GROUP, EmbedUnits, Job
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.jobs.units import Unit, cut, write_todo
from pipelines.models.facts import LeafFacts, ModelFacts
from pipelines.store import UnitTable
from pipelines.store.folder import FolderStore
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS
from trainer.config import EMBEDDING_DIM, HASH_BITS, LEAF, LEAF_OUTPUT
from trainer.export import Readout, ServingModel, model_signatures, save_model
from trainer.hashing import build_hash_head
from trainer.heads import build_heads
from trainer.precision import compute_dtype
from trainer.trunks import build_trunk
from transforms.image import prepare
from transforms.photo import PrepSpec

SLOTS = {"category_0": 5, "category_1": 45, "category_2": 141, LEAF: 141}
IMAGES_A_UNIT, PHOTOS_A_UNIT = 2000, 4000
RESULTS = Path(__file__).parent / "results"
JOBS = Jobs(BeamSection(), "bench_embed")


@dataclass
class Clock:
    """When the first record was touched and when the last was done, in this process."""

    started: float = 0.0
    ended: float = 0.0

    def touch(self) -> None:
        """Note that work is going on."""
        self.ended = time.perf_counter()
        self.started = self.started or self.ended


CLOCK = Clock()


class Timed(EmbedUnits):
    """The stage's own step, with a note of when it works."""

    def __init__(self, job: Job, shared: Shared) -> None:
        super().__init__(job, shared)

    def process(self, units: Sequence[Unit]) -> Iterator[str]:
        """Do what the stage does."""
        CLOCK.touch()
        yield from super().process(units)
        CLOCK.touch()


class Handler(ModelHandler[bytes, Any, Embedder]):
    """The same model and decoder behind RunInference, as its documentation shows."""

    def __init__(self, store: FolderStore, facts: ModelFacts, batch: int) -> None:
        super().__init__()
        self.store, self.facts, self.batch = store, facts, batch

    def load_model(self) -> Embedder:
        """Load the model."""
        return Embedder(self.store, self.facts)

    def run_inference(self, batch: Sequence[bytes], model: Embedder, inference_args: Any = None) -> Iterable[Any]:  # noqa: ARG002
        """Decode and infer one batch."""
        outputs = model(model.decode(batch)[0])
        CLOCK.touch()
        return zip(outputs.embedding.astype(np.float16), outputs.hash, strict=True)

    def batch_elements_kwargs(self) -> dict[str, int]:
        """Ask for full batches."""
        return {"min_batch_size": self.batch, "max_batch_size": self.batch}


@dataclass
class Bench:
    """A store with prepared photos and a model, and the units of work on them."""

    store: FolderStore
    facts: ModelFacts
    batch: int
    units: list[Unit] = field(default_factory=list)
    round: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def images(self) -> UnitTable:
        """The prepared photos."""
        return UnitTable(self.store, f"images/{self.facts.prep_id}")

    def stage(self) -> float:
        """Run the stage's step through Beam into an empty table; return its seconds without start-up."""
        facts = ModelFacts(**{**vars(self.facts), "space_id": f"round-{next(self.round)}"})
        groups = [self.units[n : n + UNITS_A_GROUP] for n in range(0, len(self.units), UNITS_A_GROUP)]
        step = beam.ParDo(Timed(Job(self.store, "bench", facts, self.batch), Shared()))
        return _seconds(lambda: JOBS.run("embed", lambda p: p | CreateEach(groups) | step))

    def run_inference(self) -> float:
        """Run a plain RunInference pipeline over the same photos; return its seconds without start-up."""
        handler = Handler(self.store, self.facts, self.batch)
        reading = beam.FlatMap(_jpegs, self.images)
        return _seconds(
            lambda: JOBS.run(
                "RunInference",
                lambda p: p | CreateEach(self.images.unit_ids()) | reading | RunInference(handler) | beam.Map(len),
            )
        )

    def batches(self) -> Iterator[list[bytes]]:
        """Read all photos in order, in batches."""
        for unit_id in self.images.unit_ids():
            jpegs = self.images.read_rows(unit_id, columns=["image"])["image"].to_pylist()
            yield from (jpegs[n : n + self.batch] for n in range(0, len(jpegs), self.batch))

    def bare_loops(self, model: tf.Module) -> dict[str, Callable[[], float]]:
        """Return bare loops over one loaded model; the fastest is what the stage is compared with."""
        embedder = Embedder(self.store, self.facts)
        prepared, pixels = model.signatures["serve_prepared"], model.signatures["serve_pixels"]

        def in_graph() -> list[Any]:
            return [_keep(prepared(jpegs=tf.constant(jpegs))) for jpegs in self.batches()]

        def decoded_ahead() -> list[Any]:
            decoded = prefetch((embedder.decode(jpegs)[0] for jpegs in self.batches()), BATCHES_AHEAD)
            return [_keep(pixels(pixels=tf.constant(batch))) for batch in decoded]

        def in_turn() -> list[Any]:
            return [_keep(pixels(pixels=tf.constant(embedder.decode(jpegs)[0]))) for jpegs in self.batches()]

        return {f.__name__: _timed(f) for f in (in_graph, decoded_ahead, in_turn)}


def _keep(outputs: dict[str, tf.Tensor]) -> list[np.ndarray]:
    return [outputs["embedding"].numpy().astype(np.float16), outputs["hash"].numpy(), outputs[LEAF_OUTPUT].numpy()]


def _timed(loop: Callable[[], Any]) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        loop()
        return time.perf_counter() - started

    return run


def _seconds(run: Callable[[], Any]) -> float:
    CLOCK.started = 0.0
    run()
    return CLOCK.ended - CLOCK.started


def _jpegs(unit_id: str, images: UnitTable) -> Iterator[bytes]:
    CLOCK.touch()
    yield from images.read_rows(unit_id, columns=["image"])["image"].to_pylist()


def add_photos(bench: Bench, paths: Sequence[Path], spec: PrepSpec, count: int) -> None:
    """Prepare photos and plan `count` of them, again from the first when there are fewer."""
    prepared = [prepare(path.read_bytes(), spec).jpeg for path in paths]
    todo = []
    for number, start in enumerate(range(0, count, IMAGES_A_UNIT)):
        rows = range(start, min(start + IMAGES_A_UNIT, count))
        digests, n, hashes = [row.to_bytes(32, "big") for row in rows], len(rows), [b"\0" * 8] * len(rows)
        jpegs = [prepared[row % len(prepared)] for row in rows]
        keys = pa.table([digests, [""] * n, range(n), hashes], schema=IMAGE_KEYS)
        size = ([spec.width] * n, [spec.height] * n)
        bench.images.commit(f"{number:016x}", keys, pa.table([digests, jpegs, *size, hashes], schema=IMAGE_DATA))
        todo.append(pa.table([digests, [f"{number:016x}"] * n, range(n)], schema=TODO))
    bench.units = cut([write_todo(bench.store, "bench", 0, pa.concat_tables(todo))], PHOTOS_A_UNIT)


def export(store: FolderStore, trunk: str, dtype: str, spec: PrepSpec, work: Path) -> ModelFacts:
    """Export an untrained model of the real shape."""
    keras.utils.set_random_seed(0)
    net = build_trunk(trunk, dtype)
    readout = Readout({label: np.ones(size, bool) for label, size in SLOTS.items()}, 1.0)
    model = ServingModel(net, build_heads(SLOTS), build_hash_head(), readout)
    save_model(model, None, model_signatures(model, spec.height, spec.width), str(work))
    store.stage_out(work, "models/bench/saved_model")
    levels = tuple(tuple(range(size)) for label, size in SLOTS.items() if label != LEAF)
    slots = tuple(range(SLOTS[LEAF]))
    leaf = LeafFacts(LEAF_OUTPUT, slots, slots, None)
    sizes = (spec.height, spec.width, EMBEDDING_DIM, HASH_BITS)
    return ModelFacts("bench", "bench", spec.prep_id, *sizes, leaf, levels, levels, {}, {})


def measure(bench: Bench, seconds: float) -> dict[str, Any]:
    """Let stage, bare loop and RunInference take turns until each has worked long enough."""
    count = sum(unit.rows for unit in bench.units)
    loops = bench.bare_loops(tf.saved_model.load(str(bench.store.root / "models/bench/saved_model")))
    for loop in loops.values():
        loop()  # compile, warm caches
    tried = {name: min(loop() for _ in range(2)) for name, loop in loops.items()}
    fastest = min(tried, key=lambda name: tried[name])
    runs = {"stage": bench.stage, "bare": loops[fastest], "run_inference": bench.run_inference}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    wall: dict[str, list[float]] = {name: [] for name in runs}
    while min(sum(times) for times in spent.values()) < seconds:
        for name, run in runs.items():
            started = time.perf_counter()
            spent[name].append(run())
            wall[name].append(time.perf_counter() - started - spent[name][-1])
        print({name: round(count / times[-1], 1) for name, times in spent.items()}, flush=True)
    rates = {name: count * len(times) / sum(times) for name, times in spent.items()}
    return {
        "photos": count,
        "rounds": len(spent["stage"]),
        "images_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "bare_loop": fastest,
        "bare_loops_images_per_s": {name: round(count / took, 1) for name, took in tried.items()},
        "stage_to_bare": round(rates["stage"] / rates["bare"], 3),
        "run_inference_to_bare": round(rates["run_inference"] / rates["bare"], 3),
        "stage_to_bare_median_of_rounds": round(
            statistics.median(b / s for s, b in zip(spent["stage"], spent["bare"], strict=True)), 3
        ),
        "start_up_s": {name: round(statistics.median(times), 2) for name, times in wall.items()},
        "cores": len(os.sched_getaffinity(0)),
    }


def main() -> None:
    """Measure one case and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder of photos; drawn ones if unset")
    parser.add_argument("--trunk", choices=["small", "resnet50"], default="small")
    parser.add_argument("--height", type=int, default=80)
    parser.add_argument("--width", type=int, default=60)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--count", type=int, default=8192)
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args()
    spec = PrepSpec(args.height, args.width)
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder, "store"))
        dtype = compute_dtype(args.trunk, args.height, args.width)
        bench = Bench(store, export(store, args.trunk, dtype, spec, Path(folder, "model")), args.batch)
        add_photos(bench, photos_of(args.photos, min(args.count, 2000), Path(folder)), spec, args.count)
        case = {"trunk": args.trunk, "height": args.height, "width": args.width, "batch": args.batch, "compute": dtype}
        result = {**case, **measure(bench, args.seconds)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"embed-{args.trunk}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    # Beam copies what it finds in __main__, and the copy's clock is not ours.
    importlib.import_module("benchmarks.bench_embed").main()
