"""Random variations of a batch of photos, in the graph: place, size, turn, mirror, light, and a part gone white.

Outside a photo is the white of its padding, and so is what is erased (Zhong et al. 2017, arXiv 1708.04896).
"""

from __future__ import annotations

import math

import tensorflow as tf

SHIFT, ZOOM, ASPECT, TURN, LIGHT = 0.10, 0.20, 0.08, math.radians(8.0), 0.15
"""The most of each: shares of the side, of the scale and of the range of light; radians."""
ERASED_SHARE, ERASED_SIDES = 0.4, (0.15, 0.45)
"""The share of photos that lose a part, and its least and greatest sides as shares of the photo's."""


def augment(pixels: tf.Tensor, seed: tf.Tensor, size: tuple[int, int] | None = None) -> tf.Tensor:
    """Return the varied photos, float32 [batch, *size, 3] in 0..255; equal seeds (int32 [2]) give equal photos.

    `size` is (height, width), the photos' own by default.
    """
    batch, shape = tf.shape(pixels)[0], (int(pixels.shape[1]), int(pixels.shape[2]))
    draws = tf.random.stateless_uniform([13, batch], seed, -1.0, 1.0)
    darkness = _moved(255.0 - tf.cast(pixels, tf.float32), draws[:6], shape, size or shape)
    varied = 255.0 - darkness * _kept(draws[6:11], size or shape)
    contrast = (1.0 + LIGHT * draws[11])[:, None, None, None]
    brightness = (255.0 * LIGHT * draws[12])[:, None, None, None]
    return tf.clip_by_value((varied - 127.5) * contrast + 127.5 + brightness, 0.0, 255.0)


def _moved(darkness: tf.Tensor, draws: tf.Tensor, shape: tuple[int, int], size: tuple[int, int]) -> tf.Tensor:
    """Return the photos moved, scaled, turned and mirrored by six draws in -1..1, at `size`."""
    (height, width), (rows, columns) = shape, size
    mirror = tf.where(draws[0] < 0.0, -1.0, 1.0)
    zoom, aspect, turn = tf.exp(ZOOM * draws[1]), tf.exp(ASPECT * draws[2]), TURN * draws[3]
    across, down = zoom * aspect * (width / columns), zoom / aspect * (height / rows)
    cosine, sine = tf.cos(turn), tf.sin(turn)
    # It maps the centres of output pixels to places in the input: x' = a x + b y + c, y' = d x + e y + f.
    a, b, d, e = cosine * mirror * across, -sine * down, sine * mirror * across, cosine * down
    middle_x, middle_y = (columns - 1) / 2, (rows - 1) / 2
    c = (width - 1) / 2 + SHIFT * width * draws[4] - a * middle_x - b * middle_y
    f = (height - 1) / 2 + SHIFT * height * draws[5] - d * middle_x - e * middle_y
    zero = tf.zeros_like(zoom)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=darkness,
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),
        output_shape=tf.constant([rows, columns]),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def _kept(draws: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Return float32 [batch, height, width, 1]: 0 in the part that is erased, 1 elsewhere, by five draws in -1..1."""
    least, greatest = ERASED_SIDES
    inside = tf.ones([tf.shape(draws)[1], 1, 1], tf.bool)
    for axis, side in enumerate(size):
        half = 0.25 * (least + greatest + (greatest - least) * draws[2 * axis])
        places = (tf.range(side, dtype=tf.float32) + 0.5) / side
        apart = tf.abs(places[None, :] - 0.5 * (1.0 + draws[2 * axis + 1])[:, None]) < half[:, None]
        inside = tf.logical_and(inside, tf.expand_dims(apart, 2 - axis))
    inside = tf.logical_and(inside, (draws[4] < 2.0 * ERASED_SHARE - 1.0)[:, None, None])
    return 1.0 - tf.cast(inside, tf.float32)[..., None]
