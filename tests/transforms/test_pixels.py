"""Pixels of prepared photos: Pillow and TensorFlow must see the same."""

import numpy as np
import pytest
import tensorflow as tf

from tests.transforms import odd_photos as odd
from transforms import pixels, tf_pixels
from transforms.image import prepare
from transforms.photo import PrepSpec

SPEC = PrepSpec(64, 48)


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    return [prepare(make(), SPEC).jpeg for make in odd.GOLDEN.values()]


def test_the_graph_decodes_the_very_pixels_that_pillow_does(jpegs):
    in_graph = tf.function(lambda batch: tf_pixels.decode_prepared_batch(batch, 64, 48))(tf.constant(jpegs)).numpy()
    assert in_graph.shape == (len(jpegs), 64, 48, 3)
    assert in_graph.dtype == np.uint8
    by_pillow = np.stack([pixels.decode_prepared(jpeg) for jpeg in jpegs])
    # The two bring their own builds of libjpeg; here they agree exactly, elsewhere by a level at most.
    assert np.abs(in_graph.astype(int) - by_pillow).max() <= 1


def test_an_empty_batch_has_no_photos():
    assert tf_pixels.decode_prepared_batch(tf.constant([], tf.string), 64, 48).shape == (0, 64, 48, 3)


def test_a_photo_that_was_prepared_for_another_model_fails(jpegs):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[64,48,3\].*\[32,48,3\]"):
        tf_pixels.decode_prepared_batch(tf.constant(jpegs[:1]), 32, 48)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (odd.encode(odd.scene(), "PNG"), r"not a prepared photo, it starts with b'\\x89PNG"),
        (odd.encode(odd.scene().convert("L"), "JPEG"), "a prepared photo is RGB, this one is L"),
    ],
)
def test_originals_are_not_taken_for_prepared_photos(data, message):
    with pytest.raises(ValueError, match=message):
        pixels.decode_prepared(data)


def test_normalised_pixels_lie_between_minus_one_and_one():
    levels = np.array([0, 51, 255], np.uint8)
    expected = np.array([-1, -0.6, 1], np.float32)  # 51 - 127.5 = -76.5, a .6 of 127.5
    assert pixels.normalise(levels) == pytest.approx(expected, abs=1e-7)
    assert pixels.normalise(levels).dtype == np.float32
    assert np.array_equal(tf_pixels.normalise(tf.constant(levels)).numpy(), pixels.normalise(levels))
