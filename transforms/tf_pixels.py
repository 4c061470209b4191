"""From prepared photos to the numbers that models read, inside a TensorFlow graph.

The twin of transforms/pixels.py, kept apart because importing TensorFlow takes ten seconds.
"""

import tensorflow as tf

from transforms.pixels import PIXEL_CENTRE, PIXEL_SCALE


def decode_prepared_batch(jpegs: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Return the pixels of prepared photos: tf.string [batch] -> uint8 [batch, height, width, 3], RGB.

    The accurate DCT is what Pillow uses; at 4:4:4 there is no chroma to scale, so pixels are equal. A photo of another
    size fails with InvalidArgumentError: it was prepared for another model.
    """
    return tf.map_fn(
        lambda jpeg: decode_prepared_one(jpeg, height, width),
        jpegs,
        fn_output_signature=tf.TensorSpec((height, width, 3), tf.uint8),
        parallel_iterations=32,
    )


def decode_prepared_one(jpeg: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Return the pixels of one prepared photo: tf.string [] -> uint8 [height, width, 3], RGB; for tf.data pipelines."""
    pixels = tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True)
    return tf.ensure_shape(pixels, (height, width, 3))


def normalise(pixels: tf.Tensor) -> tf.Tensor:
    """Return uint8 pixels of any shape as float32 in [-1, 1]: (pixel - 127.5) / 127.5; white is 1."""
    return (tf.cast(pixels, tf.float32) - PIXEL_CENTRE) / PIXEL_SCALE
