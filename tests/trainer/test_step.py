"""What one step moves, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from tests.trainer.world import HEIGHT, WIDTH, labels, make_photos, tiny_trunk
from trainer.config import TrainSpec
from trainer.heads import build_heads
from trainer.step import TrainingStep


def moved_by(spec: TrainSpec, *, frozen: bool) -> dict[str, float]:
    """Return how far one step moves each variable of a trunk and its heads, by path."""
    keras.utils.set_random_seed(1)
    trunk, heads = tiny_trunk(), build_heads({"leaf": 5, "category_0": 2})
    variables = [*trunk.variables, *heads.variables]
    before = [np.array(variable.value) for variable in variables]
    slots = {name: tf.constant(labels()[name], tf.int32) for name in ("leaf", "category_0")}
    step = TrainingStep(spec, trunk, heads, frozen=frozen)
    step(tf.constant(make_photos()), slots, tf.constant([1, 0]), (HEIGHT, WIDTH))
    ends = [np.array(variable.value) for variable in variables]
    return {v.path: float(np.abs(new - old).max()) for v, old, new in zip(variables, before, ends, strict=True)}


BODY = {"conv/kernel", "norm/gamma", "norm/beta", "norm/mean", "norm/variance"}


def test_a_frozen_body_stays_as_it_is_to_its_statistics(spec: TrainSpec) -> None:
    moved = moved_by(spec, frozen=True)
    assert moved.keys() > BODY
    assert {path for path, far in moved.items() if far == 0.0} == BODY


def test_fixed_norms_keep_their_statistics_while_all_else_moves(spec: TrainSpec) -> None:
    moved = moved_by(replace(spec, fixed_norms=True), frozen=False)
    assert {path for path, far in moved.items() if far == 0.0} == {"norm/mean", "norm/variance"}


def test_all_moves_otherwise(spec: TrainSpec) -> None:
    assert all(far > 0.0 for far in moved_by(spec, frozen=False).values())


def test_the_body_moves_at_a_rate_of_its_own_and_what_is_above_it_does_not(spec: TrainSpec) -> None:
    whole, slow = (moved_by(replace(spec, trunk_rate=rate), frozen=False) for rate in (1.0, 0.1))
    learned = BODY - {"norm/mean", "norm/variance"}
    assert all(np.isclose(slow[path], 0.1 * whole[path], rtol=0.02) for path in learned)
    assert all(np.isclose(slow[path], whole[path], rtol=0.02) for path in whole.keys() - learned)
