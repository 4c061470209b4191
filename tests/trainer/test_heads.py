import math

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import levels_of
from trainer.heads import SCALE, build_heads, combined_loss, loss_weights, masked_cross_entropy


def test_each_label_has_logits_of_its_own_size() -> None:
    logits = build_heads({"category_0": 3, "category_1": 7, "attr_colour": 4})(np.zeros((2, 512), np.float32))
    assert {name: tuple(value.shape) for name, value in logits.items()} == {
        "category_0": (2, 3),
        "category_1": (2, 7),
        "attr_colour": (2, 4),
    }


def test_logits_are_cosines_whatever_the_length_of_the_embedding() -> None:
    heads = build_heads({"category_0": 3})
    embeddings = np.random.default_rng(0).normal(size=(4, 512)).astype(np.float32)
    directions = np.array(heads.get_layer("category_0").kernel)
    cosines = embeddings @ directions / np.linalg.norm(embeddings, axis=1)[:, None] / np.linalg.norm(directions, axis=0)
    for length in (1.0, 100.0):
        assert np.array(heads(length * embeddings)["category_0"]) == pytest.approx(SCALE * cosines, abs=1e-3)


def test_the_leaf_weighs_most_and_deeper_levels_help_more_but_for_the_deepest() -> None:
    labels = ["leaf", "category_0", "category_1", "category_2", "category_3", "attr_colour"]
    assert loss_weights(labels, 0.2) == {
        "leaf": 1.0,
        "category_0": 0.3,
        "category_1": 0.3,
        "category_2": 0.5,
        "category_3": 0.1,
        "attr_colour": 0.2,
    }
    assert loss_weights(["leaf", "category_0"], 0.2) == {"leaf": 1.0, "category_0": 0.1}


def test_the_tenth_level_is_below_the_second() -> None:
    labels = ["attr_colour", *(f"category_{level}" for level in reversed(range(11)))]
    assert levels_of(labels) == [f"category_{level}" for level in range(11)]
    assert loss_weights(labels, 0.2)["category_9"] == 0.5


def test_cross_entropy_by_hand_leaves_unknown_slots_out() -> None:
    # softmax(ln 3, 0) = (3/4, 1/4); the second row is unknown, whatever its logits
    logits = tf.constant([[math.log(3), 0.0], [9.0, -9.0]])
    loss = masked_cross_entropy(logits, tf.constant([0, -1]), 0.0)
    assert float(loss) == pytest.approx(-math.log(3 / 4), rel=1e-5)


def test_smoothing_spreads_its_share_evenly() -> None:
    # .9 on the class, .1 spread over both: -(.9 ln 3/4 + .05 ln 3/4 + .05 ln 1/4)
    loss = masked_cross_entropy(tf.constant([[math.log(3), 0.0]]), tf.constant([0]), 0.1)
    assert float(loss) == pytest.approx(-(0.95 * math.log(3 / 4) + 0.05 * math.log(1 / 4)), rel=1e-5)


def test_nothing_known_costs_nothing_and_has_a_finite_gradient() -> None:
    logits = tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        loss = masked_cross_entropy(logits, tf.constant([-1]), 0.1)
    assert float(loss) == 0.0
    assert np.allclose(tape.gradient(loss, logits), 0.0)


def test_heads_are_summed_by_weight() -> None:
    # two even logits cost ln 2, four cost ln 4
    logits = {"category_0": tf.zeros((1, 2)), "attr_colour": tf.zeros((1, 4))}
    slots = {"category_0": tf.constant([1]), "attr_colour": tf.constant([3])}
    loss = combined_loss(logits, slots, {"category_0": 1.0, "attr_colour": 0.25}, 0.1)
    assert float(loss) == pytest.approx(math.log(2) + 0.25 * math.log(4), rel=1e-5)
