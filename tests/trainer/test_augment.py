import numpy as np
import tensorflow as tf

from trainer.augment import augment


def photos(count: int = 64) -> tf.Tensor:
    return tf.constant(np.random.default_rng(5).integers(0, 256, (count, 24, 16, 3)).astype(np.uint8))


def test_equal_seeds_give_equal_photos_and_others_do_not() -> None:
    once, again = (augment(photos(), tf.constant([1, 7])).numpy() for _ in range(2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, augment(photos(), tf.constant([1, 8])).numpy())


def test_pixels_stay_in_range_and_shape() -> None:
    varied = augment(photos(), tf.constant([2, 3])).numpy()
    assert varied.shape == (64, 24, 16, 3)
    assert varied.dtype == np.float32
    assert varied.min() >= 0.0
    assert varied.max() <= 255.0


def test_half_are_mirrored() -> None:
    # left half black, right half white: after any of the variations the darker side tells
    pixels = np.zeros((200, 24, 16, 3), np.uint8)
    pixels[:, :, 8:] = 255
    varied = augment(tf.constant(pixels), tf.constant([4, 4])).numpy()
    mirrored = varied[:, :, 3:6].mean((1, 2, 3)) > varied[:, :, 10:13].mean((1, 2, 3))
    assert 60 < mirrored.sum() < 140


def test_what_moves_in_from_outside_is_the_white_of_the_padding() -> None:
    # a white photo stays without edges: each is one even grey, whatever its shift and zoom
    varied = augment(tf.fill((32, 24, 16, 3), tf.constant(255, tf.uint8)), tf.constant([6, 1])).numpy()
    assert np.ptp(varied, axis=(1, 2, 3)).max() < 1e-3


def test_a_smaller_size_shows_the_same_photo() -> None:
    # darkness in the middle third of a white photo: it stays in the middle at every size
    pixels = np.full((64, 24, 18, 3), 255, np.uint8)
    pixels[:, 8:16, 6:12] = 0
    for size in ((24, 18), (12, 9)):
        varied = augment(tf.constant(pixels), tf.constant([1, 1]), size).numpy()
        assert varied.shape == (64, *size, 3)
        rows, columns = varied.mean((0, 2, 3)), varied.mean((0, 1, 3))
        assert abs(np.average(np.arange(size[0]), weights=255 - rows) - (size[0] - 1) / 2) < 0.05 * size[0]
        assert abs(np.average(np.arange(size[1]), weights=255 - columns) - (size[1] - 1) / 2) < 0.05 * size[1]
        dark = (varied < 128).mean()
        assert 0.08 < dark < 0.15  # a ninth of the photo
