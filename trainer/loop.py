"""The training loop of trunk and heads: budgeted, resumable from its last checkpoint, with learning curves."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf

from trainer.config import CHECKPOINT_LINE, LEAF, TrainSpec, level_label, levels_of
from trainer.data import Photos
from trainer.divergence import DivergedError, all_finite
from trainer.measure import accuracies
from trainer.schedule import one_cycle, phase_at, rows_of_step, share_done, size_at
from trainer.step import TrainingStep
from transforms.labels import slot_feature

REPORTS, REPORTED_PHOTOS, REPORTED_SHARE = 20, 1024, 20
"""A report measures a photo in REPORTED_SHARE of those trained on since the last one, but at most REPORTED_PHOTOS."""


class Trainer:
    """Trains a trunk and its heads on decoded photos; state is in `spec.checkpoints`."""

    def __init__(self, spec: TrainSpec, trunk: keras.Model, heads: keras.Model) -> None:
        self.spec, self.trunk, self.heads = spec, trunk, heads
        self.labels = list(heads.output)
        self.whole = TrainingStep(spec, trunk, heads)
        self.head = TrainingStep(spec, trunk, heads, frozen=True) if spec.head_share else None
        self.step = tf.Variable(0, dtype=tf.int64)
        self.spent_s = tf.Variable(0.0, dtype=tf.float64)
        optimizers = {"optimizer": self.whole.optimizer} | ({"head": self.head.optimizer} if self.head else {})
        state = tf.train.Checkpoint(trunk=trunk, heads=heads, step=self.step, spent_s=self.spent_s, **optimizers)
        self.manager = tf.train.CheckpointManager(state, spec.checkpoints, max_to_keep=2)
        tf.io.gfile.makedirs(spec.checkpoints)
        self.curves = f"{spec.checkpoints}/curves.jsonl"

    def fit(self, train: Photos, held_out: Photos) -> dict[str, float]:
        """Train to the end of the budget, from the last checkpoint if there is one.

        Returns the held-out accuracies, and how much was learned from: `train.photos` different ones, `train.seen` of
        them in `train.steps` steps, one counted as often as it was seen, within `train.seconds`.
        """
        self.manager.restore_or_initialize()
        if self._share():
            say(f"goes on from step {int(self.step.numpy())}, {self._share():.0%} done")
        targets = {name: targets_of(train, name, self.spec.min_leaf_images) for name in self.labels}
        order = train.repeated(self.spec.repeat)
        saved, behind = time.monotonic(), None
        since = _Since(saved)
        while (before := self._share()) < 1.0:
            started = time.monotonic()
            rows = order[rows_of_step(int(self.step.numpy()), len(order), self.spec.batch, self.spec.seed)]
            since.losses.append(self.train_one(rows, train, targets))
            self._check_loss(behind)  # that of the step before is known by now: nothing waits for it
            behind = since.losses[-1]
            self.step.assign_add(1)
            self.spent_s.assign_add(time.monotonic() - started)
            if int(REPORTS * self._share()) > int(REPORTS * before):
                self._report(since, held_out)
                since = _Since(time.monotonic())
            if time.monotonic() - saved > self.spec.checkpoint_s:
                self._save()
                saved = time.monotonic()
        self._save()
        steps = int(self.step.numpy())
        return self.evaluate(held_out) | {
            "train.photos": float(len(train)),
            "train.steps": float(steps),
            "train.seen": float(steps * min(self.spec.batch, len(order))),
            "train.seconds": round(float(self.spent_s.numpy()), 1),
        }

    def _check_loss(self, loss: tf.Tensor | float | None) -> None:
        if loss is not None and not math.isfinite(float(loss)):
            self._stop(f"the loss is {float(loss)}")

    def _save(self) -> None:
        """Write a checkpoint, and say so. Raises DivergedError rather than keep weights of which nothing can come."""
        if not all_finite([*self.trunk.variables, *self.heads.variables]):
            self._stop("there are weights that are no finite numbers")
        self.manager.save(checkpoint_number=int(self.step.numpy()))
        say(f"{CHECKPOINT_LINE}{int(self.step.numpy())}")

    def _stop(self, what: str) -> NoReturn:
        good = self.manager.latest_checkpoint
        where = f"the last good checkpoint is of step {good.rpartition('-')[2]}" if good else "no checkpoint is good"
        raise DivergedError(
            f"the training has diverged: {what} at step {int(self.step.numpy())}; {where}; lower train.learning_rate = "
            f"{self.spec.learning_rate:g}, which trains anew, or run again as it is if the machine is to blame"
        )

    def evaluate(
        self, photos: Photos, limit: int | None = None, size: tuple[int, int] | None = None
    ) -> dict[str, float]:
        """Return accuracies of every head on photos (the first `limit`): top1 and macro a label.

        `size` is what the photos are shown at, their own by default: a trunk reads best what it has just trained at.
        """
        count = len(photos) if limit is None else min(limit, len(photos))
        guesses: dict[str, list[np.ndarray]] = {name: [] for name in self.labels}
        for pixels in photos.batches(count):
            for name, values in self._predict(tf.constant(pixels), size).items():
                guesses[name].append(values.numpy())
        truth = {name: photos.slots[slot_feature(name)][:count] for name in self.labels}
        return accuracies({name: np.concatenate(g) if g else np.zeros(0) for name, g in guesses.items()}, truth)

    def _share(self) -> float:
        spec = self.spec
        return share_done(int(self.step.numpy()), float(self.spent_s.numpy()), steps=spec.steps, minutes=spec.minutes)

    def _size(self) -> tuple[int, int]:
        if self.spec.fixed_norms:  # statistics of large photos are not those of small ones
            return self.spec.height, self.spec.width
        return size_at(self._share(), self.spec.height, self.spec.width)

    def train_one(
        self, rows: np.ndarray, train: Photos, targets: Mapping[str, np.ndarray], size: tuple[int, int] | None = None
    ) -> tf.Tensor:
        """Do one step on `rows`, at the `size` (height, width) that the share of the training asks for by default."""
        phase = phase_at(self._share(), self.spec.head_share)
        step = self.head if phase.frozen and self.head else self.whole
        step.optimizer.learning_rate.assign(self._rate())
        slots = {name: tf.constant(values[rows]) for name, values in targets.items()}
        seed = tf.constant([self.spec.seed, int(self.step.numpy())], tf.int32)
        return step(tf.constant(train.batch(rows)), slots, seed, size or self._size())

    def _rate(self) -> float:
        phase = phase_at(self._share(), self.spec.head_share)
        return one_cycle(phase.done(self._share()), self.spec.learning_rate)

    @tf.function(reduce_retracing=True)
    def _predict(self, pixels: tf.Tensor, size: tuple[int, int] | None) -> dict[str, tf.Tensor]:
        pixels = tf.image.resize(pixels, size) if size else tf.cast(pixels, tf.float32)
        logits = self.heads(self.trunk(pixels, training=False), training=False)
        return {name: tf.argmax(values, axis=1, output_type=tf.int32) for name, values in logits.items()}

    def _report(self, since: _Since, held_out: Photos) -> None:
        seconds, step, size = time.monotonic() - since.started, int(self.step.numpy()), self._size()
        loss = float(np.mean([float(loss) for loss in since.losses]))
        trained = len(since.losses) * self.spec.batch
        measured = max(1, min(REPORTED_PHOTOS, trained // REPORTED_SHARE))
        self._check_loss(loss)
        point: dict[str, Any] = {
            "step": step,
            "height": size[0],
            "loss": round(loss, 4),
            "learning_rate": self._rate(),
            "images_a_second": round(trained / seconds, 1),
            **{name: round(value, 4) for name, value in self.evaluate(held_out, measured, size).items()},
        }
        with tf.io.gfile.GFile(self.curves, "a") as file:
            file.write(json.dumps(point) + "\n")
        say(f"{self._share():.0%}, step {step}, " + ", ".join(f"{k} {v}" for k, v in _shown(point)))


class _Since:
    """The steps since the last report."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.losses: list[tf.Tensor] = []


def targets_of(photos: Photos, label: str, min_leaf_images: int) -> np.ndarray:
    """Return a label's int32 slots; -1 for classes of fewer than `min_leaf_images`: these train as their parent."""
    slots = photos.slots[slot_feature(label)]
    counts = np.bincount(slots[slots >= 0], minlength=1) if len(slots) else np.zeros(1, int)
    if label != LEAF and (label == level_label(0) or not levels_of([label])):
        return slots
    return np.where(counts[np.maximum(slots, 0)] >= min_leaf_images, slots, -1).astype(np.int32)


def say(text: str) -> None:
    """Write one line of progress to stderr, marked for whoever started the training."""
    sys.stderr.write(f"train: {text}\n")
    sys.stderr.flush()


def _shown(point: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(k, v) for k, v in point.items() if k in {"loss", "images_a_second", f"top1.{LEAF}"}]
