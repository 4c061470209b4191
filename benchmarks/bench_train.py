"""A training step of the pipeline against the bare train step on decoded data in memory.

    python -m benchmarks.bench_train
    python -m benchmarks.bench_train --trunk resnet50 --height 224 --width 224 --batch 16 --name resnet50

The pipeline's step picks rows, copies them, augments, trains and keeps the learning rate; the bare step applies the
same gradients to one batch that is a constant. They take turns in one process. The last result stays in
benchmarks/results/.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from trainer.config import TrainSpec
from trainer.data import Decoded, Photos
from trainer.heads import build_heads, combined_loss
from trainer.loop import Trainer, targets_of
from trainer.precision import compute_dtype
from trainer.schedule import rows_of_step
from trainer.trunks import build_trunk
from transforms.labels import slot_feature

SIZES = {"category_0": 7, "category_1": 45, "category_2": 141, "attr_colour": 46, "attr_gender": 5}
RESULTS = Path(__file__).parent / "results"
PHOTOS = 4096
TURN_S = 5.0


def random_photos(count: int, height: int, width: int) -> Photos:
    """Return decoded random photos with random labels."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (count, height, width, 3)).astype(np.uint8)
    slots = {slot_feature(name): draw.integers(0, size, count).astype(np.int32) for name, size in SIZES.items()}
    return Photos(Decoded(pixels), slots, np.full(count, "main"))


def bare_step(trainer: Trainer, photos: Photos, batch: int) -> Any:
    """Return the train step on one constant batch: forward, backward, update."""
    rows = np.arange(batch)
    pixels = tf.constant(photos.batch(rows), tf.float32)
    slots = {name: tf.constant(photos.slots[slot_feature(name)][rows]) for name in SIZES}
    variables = trainer.variables

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = trainer.heads(trainer.trunk(pixels, training=True), training=True)
            loss = combined_loss(logits, slots, trainer.weights, trainer.spec.label_smoothing)
        trainer.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return step


def measure(trunk: str, height: int, width: int, batch: int, seconds: float) -> dict[str, Any]:
    """Let both take turns of some seconds until each has worked long enough."""
    dtype = compute_dtype(trunk, height, width)
    photos = random_photos(max(batch, min(PHOTOS, (1 << 30) // (height * width * 3))), height, width)
    with tempfile.TemporaryDirectory() as folder:
        keras.utils.set_random_seed(0)
        spec = TrainSpec("", "", "", folder, "", height, width, steps=1_000_000_000, batch=batch, trunk=trunk)
        trainer = Trainer(spec, build_trunk(trunk, dtype), build_heads(SIZES))
        targets = {name: targets_of(photos, name, spec.min_leaf_images) for name in SIZES}
        bare, full = bare_step(trainer, photos, batch), (height, width)
        rows = (rows_of_step(number, len(photos), batch, 0) for number in itertools.count())
        runs = {"pipeline": lambda: trainer.train_one(next(rows), photos, targets, full), "bare": bare}
        spent, done = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0)
        for run in runs.values():
            for _ in range(2):
                float(run())
        while min(spent.values()) < seconds:
            for name, run in runs.items():
                started = time.perf_counter()
                while time.perf_counter() - started < TURN_S:
                    float(run())
                    done[name] += batch
                spent[name] += time.perf_counter() - started
    rates = {name: done[name] / spent[name] for name in runs}
    return {
        "trunk": trunk,
        "height": height,
        "width": width,
        "batch": batch,
        "compute": dtype,
        "images_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "pipeline_to_bare": round(rates["pipeline"] / rates["bare"], 3),
        "cores": len(os.sched_getaffinity(0)),
    }


def main() -> None:
    """Measure one case and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trunk", choices=["small", "resnet50"], default="small")
    parser.add_argument("--height", type=int, default=80)
    parser.add_argument("--width", type=int, default=60)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--name", default="small")
    args = parser.parse_args()
    result = measure(args.trunk, args.height, args.width, args.batch, args.seconds)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"train-{args.name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
