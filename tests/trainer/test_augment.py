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


def on_white() -> np.ndarray:
    """Red squares on white, each with a blue photo of noise behind it in the batch, which has no plain ground."""
    pixels = np.full((64, 40, 32, 3), 255, np.uint8)
    pixels[::2, 10:30, 8:24] = (200, 0, 0)
    pixels[1::2] = np.random.default_rng(3).integers(0, 256, (32, 40, 32, 3))
    pixels[1::2, :, :, :2] = 0
    return pixels


def test_in_a_scene_a_product_is_smaller_and_stands_before_another_photo() -> None:
    varied = augment(tf.constant(on_white()), tf.constant([1, 3]), scenes=1.0).numpy()[::2]
    red = (varied[..., 0] > varied[..., 2] + 40) & (varied[..., 1] < 60)
    share = red.mean((1, 2))  # a quarter of the photo as the shop shows it
    assert 0.06 < np.median(share) < 0.18
    assert share.max() < 0.27
    assert (varied.min(axis=3) > 200).mean() < 0.02  # nothing is left of the white
    assert (varied[..., 2] > varied[..., 0] + 20).mean() > 0.3  # but blue


def test_a_photo_without_a_plain_ground_is_no_product_to_be_cut_out() -> None:
    pixels, seed = tf.constant(on_white()), tf.constant([1, 3])
    assert np.array_equal(augment(pixels, seed, scenes=1.0).numpy()[1::2], augment(pixels, seed).numpy()[1::2])


def test_a_share_of_the_photos_is_shown_in_scenes() -> None:
    pixels, seed = tf.constant(np.repeat(on_white()[:2], 300, axis=0)[::-1][:600]), tf.constant([1, 3])
    changed = np.any(augment(pixels, seed, scenes=0.3).numpy() != augment(pixels, seed).numpy(), axis=(1, 2, 3))
    assert 60 < changed.sum() < 120  # of the 300 that have a plain ground


def test_scenes_keep_range_and_size() -> None:
    varied = augment(tf.constant(on_white()), tf.constant([5, 3]), (20, 16), scenes=0.5).numpy()
    assert varied.shape == (64, 20, 16, 3)
    assert varied.min() >= 0.0
    assert varied.max() <= 255.0
