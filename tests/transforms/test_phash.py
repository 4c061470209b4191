"""The perceptual hash: steady for one photo, apart for two, and the same bits as the usual implementation."""

import io

import imagehash
import numpy as np
import pytest
from PIL import Image

from tests.transforms import odd_photos as odd
from transforms.phash import hamming, phash


def drawn(seed: int) -> Image.Image:
    """Blotches of colour; another picture for every seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((150, 180), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("seed", range(10))
def test_the_hash_is_that_of_imagehash_but_for_a_bit_or_two(seed):
    usual = np.packbits(imagehash.phash(drawn(seed)).hash.ravel()).tobytes()
    assert hamming(phash(drawn(seed)), usual) <= 4


@pytest.mark.parametrize("seed", range(10))
def test_scaling_and_encoding_again_move_few_bits_and_another_photo_many(seed):
    out = io.BytesIO()
    drawn(seed).resize((97, 116), Image.Resampling.BILINEAR).save(out, "JPEG", quality=60)
    assert hamming(phash(drawn(seed)), phash(Image.open(out))) <= 6
    assert hamming(phash(drawn(seed)), phash(drawn(seed + 1))) >= 16


@pytest.mark.parametrize("grey", [0, 1, 127, 254, 255])
def test_flat_pictures_have_one_bit_at_most(grey):
    # Only coefficient (0, 0), the mean, can be above the median, which is 0; for black it is not.
    assert phash(Image.new("L", (50, 70), grey)).hex() == ("8000000000000000" if grey else "0000000000000000")


def test_colour_and_grey_give_one_hash():
    assert phash(odd.scene()) == phash(odd.scene().convert("L"))


def test_hamming_counts_bits():
    assert hamming(b"\x00\xff", b"\x01\x7f") == 2
    with pytest.raises(ValueError, match="hashes of 1 and 2 bytes cannot be compared"):
        hamming(b"a", b"bb")
