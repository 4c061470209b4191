"""Random variations of a batch of photos, in the graph: as the shop shows its products, and as customers take them.

The first are moved a little, mirrored, and seen in a little other light; outside is white. The second are for products
on a plain ground: smaller, turned, anywhere in the picture, in other light, and before a part of another photo instead
of their ground (cut and paste: Dwibedi et al. 2017, arXiv 1708.01642). Equal seeds give equal photos.
"""

from __future__ import annotations

import tensorflow as tf

SHIFT, ZOOM, LIGHT = 0.08, 0.10, 0.15
SMALLEST, TURN, SCENE_LIGHT, DARKER, CAST = 0.5, 0.45, 0.30, 25.0, 0.12
"""In a scene: the least size, the most radians, the light's range, how much darker it is, and its colour's range."""
PLAIN_DEVIATION = 14.0
"""A ground is plain when the border's grey levels deviate by less than this from their mean."""
NEAREST, FARTHEST = 0.25, 0.75
"""What part of another photo, in each direction, makes a ground."""


def augment(pixels: tf.Tensor, seed: tf.Tensor, size: tuple[int, int] | None = None, scenes: float = 0.0) -> tf.Tensor:
    """Return the varied photos, float32 [batch, *size, 3] in 0..255; `seed` is int32 [2].

    `size` is (height, width), the photos' own by default. `scenes` is the share of those on a plain ground that are
    shown in a scene.
    """
    pixels = tf.cast(pixels, tf.float32)
    size = size or (pixels.shape[1], pixels.shape[2])
    varied = moved_a_little(pixels, seed, size)
    if not scenes:
        return varied
    chosen = (tf.random.stateless_uniform([tf.shape(pixels)[0]], seed + 1) < scenes) & on_plain_ground(pixels)
    return tf.where(chosen[:, None, None, None], in_scenes(pixels, seed + 2, size), varied)


def moved_a_little(pixels: tf.Tensor, seed: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Return photos [batch, *size, 3] shifted, zoomed, mirrored, and lit differently."""
    draws = tf.random.stateless_uniform([6, tf.shape(pixels)[0]], seed, -1.0, 1.0)
    shift = SHIFT * draws[2], SHIFT * draws[3]
    moved = 255.0 - warp(255.0 - pixels, size, 1.0 + ZOOM * draws[0], draws[1], shift)
    return _lit(moved, LIGHT * draws[4], 255.0 * LIGHT * draws[5])


def in_scenes(pixels: tf.Tensor, seed: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Return what stands before the plain ground of each photo, as a customer's camera sees it: [batch, *size, 3]."""
    draws = tf.random.stateless_uniform([13, tf.shape(pixels)[0]], seed, -1.0, 1.0)
    zoom = 1.0 + (1.0 / SMALLEST - 1.0) * (draws[0] + 1.0) / 2.0
    room = tf.maximum(SHIFT, 0.45 * (zoom - 1.0))
    place = (size, zoom, draws[1], (room * draws[2], room * draws[3]), TURN * draws[4])
    ground = _ground(pixels)
    differs = tf.reduce_max(tf.abs(pixels - ground), axis=-1, keepdims=True)
    shown, opaque = tf.split(warp(tf.concat([255.0 - pixels, _opacity(differs)], axis=-1), *place), [3, 1], axis=-1)
    part = NEAREST + (FARTHEST - NEAREST) * (draws[5] + 1.0) / 2.0
    where = (1.0 - part) / 2.0 * draws[7], (1.0 - part) / 2.0 * draws[8]
    behind = (
        warp(tf.roll(pixels, 1, axis=0), size, part, draws[6], where) * (0.63 + 0.27 * draws[9])[:, None, None, None]
    )
    scene = _lit(
        opaque * (255.0 - shown) + (1.0 - opaque) * behind,
        SCENE_LIGHT * draws[10],
        255.0 * SCENE_LIGHT * draws[11] - DARKER,
    )
    cast = 1.0 + CAST * tf.random.stateless_uniform([tf.shape(pixels)[0], 1, 1, 3], seed + 1, -1.0, 1.0)
    return tf.clip_by_value(scene * cast, 0.0, 255.0)


def on_plain_ground(pixels: tf.Tensor) -> tf.Tensor:
    """Tell of photos float32 [batch, height, width, 3] whether their border is of about one colour, bool [batch]."""
    return tf.math.reduce_std(tf.reduce_mean(_border(pixels), axis=2), axis=1) < PLAIN_DEVIATION


def warp(
    pixels: tf.Tensor,
    size: tuple[int, int],
    zoom: tf.Tensor,
    mirror: tf.Tensor,
    shift: tuple[tf.Tensor, tf.Tensor],
    turn: tf.Tensor | None = None,
) -> tf.Tensor:
    """Return [batch, *size, channels] of photos seen through a window `zoom` times their size; 0 outside.

    All that follows is float32 [batch]: negative `mirror` turns left and right about, `shift` (across, down) is in
    shares of the photo, `turn` in radians. Bilinear.
    """
    rows, columns = size
    height, width = pixels.shape[1], pixels.shape[2]
    # The transform maps the centres of output pixels to places in the input.
    across, down = zoom * tf.where(mirror < 0.0, -1.0, 1.0) * (width / columns), zoom * (height / rows)
    turn = tf.zeros_like(zoom) if turn is None else turn
    matrix = [across * tf.cos(turn), -down * tf.sin(turn), across * tf.sin(turn), down * tf.cos(turn)]
    middle = (columns - 1) / 2, (rows - 1) / 2
    x = width * shift[0] + (width - 1) / 2 - middle[0] * matrix[0] - middle[1] * matrix[1]
    y = height * shift[1] + (height - 1) / 2 - middle[0] * matrix[2] - middle[1] * matrix[3]
    zero = tf.zeros_like(zoom)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=tf.stack([matrix[0], matrix[1], x, matrix[2], matrix[3], y, zero, zero], axis=1),
        output_shape=tf.constant([rows, columns]),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def _lit(pixels: tf.Tensor, contrast: tf.Tensor, brightness: tf.Tensor) -> tf.Tensor:
    contrast, brightness = (1.0 + contrast)[:, None, None, None], brightness[:, None, None, None]
    return tf.clip_by_value((pixels - 127.5) * contrast + 127.5 + brightness, 0.0, 255.0)


def _border(pixels: tf.Tensor) -> tf.Tensor:
    return tf.concat([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)


def _ground(pixels: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(_border(pixels), axis=1)[:, None, None, :]


def _opacity(difference: tf.Tensor) -> tf.Tensor:
    """Return 0 for the ground's colour and its shadows, 1 for what differs from it by more than about 30 levels."""
    return tf.clip_by_value(difference / 24.0 - 0.3, 0.0, 1.0)
