import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.divergence import DivergedError
from trainer.export import pack_bits
from trainer.hashing import build_hash_head, contrast, fidelity, fit_hash_head, likenesses


def test_contrast_by_hand() -> None:
    # Orthogonal pairs, temperature .1: each sees its partner at exp(10) among exp(10) + 2 exp(0)
    codes = tf.constant([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    cosines = codes @ tf.transpose(codes)
    loss = float(contrast(cosines, tf.constant([0, 0, 1, 1])))
    assert loss == pytest.approx(np.log(1 + 2 * np.exp(-10)), abs=1e-6)
    assert float(contrast(cosines, tf.constant([0, 1, 0, 1]))) > 10.0


def test_the_unknown_are_no_class_and_the_lonely_do_not_count() -> None:
    cosines = tf.constant([[1.0, 0.0, 0.7], [0.0, 1.0, 0.7], [0.7, 0.7, 1.0]])
    assert float(contrast(cosines, tf.constant([-1, -1, 2]))) == 0.0


def test_photos_are_alike_by_leaf_and_by_leaf_with_each_attribute() -> None:
    slots = {"category_0": [0, 0, 0], "leaf": [1, 1, -1], "attr_colour": [2, 3, 2], "attr_pattern": [-1, 1, 0]}
    classes = {"category_0": 1, "leaf": 2, "attr_colour": 4, "attr_pattern": 2}
    found = likenesses({name: tf.constant(values) for name, values in slots.items()}, classes)
    assert [(weight, alike.numpy().tolist()) for weight, alike in found] == [
        (2.0, [1, 1, -1]),
        (1.0, [1 * 4 + 2, 1 * 4 + 3, -1]),
        (1.0, [-1, 1 * 2 + 1, -1]),
    ]


def test_without_attributes_the_leaf_alone_makes_alike() -> None:
    assert len(likenesses({"leaf": tf.constant([0, 1])}, {"leaf": 2})) == 1


def test_fidelity_is_nothing_when_codes_keep_the_angles() -> None:
    # Right angles between embeddings, right angles between codes
    eye = tf.eye(3)
    assert float(fidelity(eye, eye)) == pytest.approx(0.0, abs=1e-3)
    assert float(fidelity(tf.ones((3, 3)), eye)) == pytest.approx(6 / 9, abs=1e-3)


def test_bits_are_packed_as_numpy_packs_them() -> None:
    bits = np.random.default_rng(2).random((3, 4096)) > 0.5
    assert np.array_equal(pack_bits(tf.constant(bits)).numpy(), np.packbits(bits, axis=1))


def test_training_brings_the_codes_of_a_class_together() -> None:
    rng = np.random.default_rng(0)
    slots = np.tile(np.arange(4, dtype=np.int32), 200)
    noisy = rng.normal(size=(4, 512))[slots] + 2.0 * rng.normal(size=(800, 512))
    embeddings = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
    head = build_hash_head(64, seed=1)
    labels, before = {"leaf": slots}, gap_between(head, embeddings, slots)
    facts = fit_hash_head(head, embeddings, labels, {"leaf": 4}, {"leaf": 1.0}, minutes=0.1, seed=1, rate=1e-2)
    assert facts["hash.steps"] >= 20
    assert gap_between(head, embeddings, slots) > before + 0.2


def test_steps_are_counted_where_they_are_given() -> None:
    embeddings = np.random.default_rng(0).normal(size=(200, 512)).astype(np.float32)
    slots = {"leaf": np.arange(200, dtype=np.int32) % 2}
    head = build_hash_head(64)
    facts = fit_hash_head(head, embeddings, slots, {"leaf": 2}, {"leaf": 1.0}, minutes=1e-9, steps=3, seed=1)
    assert facts["hash.steps"] == 3


def gap_between(head: keras.Model, embeddings: np.ndarray, slots: np.ndarray) -> float:
    """Return by how much codes of one class agree more than those of two, as a share of the bits."""
    codes = np.sign(np.asarray(head(embeddings)))
    similar, same = codes @ codes.T / codes.shape[1], slots[:, None] == slots[None, :]
    return float(similar[same].mean() - similar[~same].mean())


def test_a_hash_head_that_learns_no_numbers_is_no_model() -> None:
    embeddings = np.full((40, 512), np.nan, np.float32)
    slots = {"leaf": np.arange(40, dtype=np.int32) % 2}
    with pytest.raises(DivergedError, match=r"the hash head has diverged: its loss is nan after \d+ steps"):
        fit_hash_head(build_hash_head(64), embeddings, slots, {"leaf": 2}, {"leaf": 1.0}, minutes=0.001, seed=1)
