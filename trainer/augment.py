"""Random variations of a batch of photos, in the graph: shift, zoom, mirror, brightness and contrast; white outside."""

from __future__ import annotations

import tensorflow as tf

SHIFT, ZOOM, LIGHT = 0.08, 0.10, 0.15


def augment(pixels: tf.Tensor, seed: tf.Tensor, size: tuple[int, int] | None = None) -> tf.Tensor:
    """Return the varied photos, float32 [batch, *size, 3] in 0..255; equal seeds (int32 [2]) give equal photos.

    `size` is (height, width), the photos' own by default.
    """
    pixels = tf.cast(pixels, tf.float32)
    batch, height, width = tf.shape(pixels)[0], pixels.shape[1], pixels.shape[2]
    draws = tf.random.stateless_uniform([6, batch], seed, -1.0, 1.0)
    rows, columns = size or (height, width)
    zoom = 1.0 + ZOOM * draws[0]
    mirror = tf.where(draws[1] < 0.0, -1.0, 1.0)
    # The transform maps the centres of output pixels to places in the input.
    across, down = zoom * mirror * (width / columns), zoom * (height / rows)
    shift_x = SHIFT * width * draws[2] + (width - 1) / 2 - (columns - 1) / 2 * across
    shift_y = SHIFT * height * draws[3] + (height - 1) / 2 - (rows - 1) / 2 * down
    zero = tf.zeros_like(zoom)
    transforms = tf.stack([across, zero, shift_x, zero, down, shift_y, zero, zero], axis=1)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=255.0 - pixels,
        transforms=transforms,
        output_shape=tf.constant([rows, columns]),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    contrast = (1.0 + LIGHT * draws[4])[:, None, None, None]
    brightness = (255.0 * LIGHT * draws[5])[:, None, None, None]
    return tf.clip_by_value((255.0 - moved - 127.5) * contrast + 127.5 + brightness, 0.0, 255.0)
