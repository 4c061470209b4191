from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.demo.encode import Encoding, encode_jpeg
from pipelines.demo.poison import BAD_FILES, BAD_PLACES, PHOTO_CODES
from pipelines.shop_files.fetch import Fetcher, FetchError
from transforms.image import prepare
from transforms.photo import CODES, BadPhoto, PrepSpec


@pytest.fixture(scope="module")
def good() -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (12, 10, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((80, 96))
    return encode_jpeg(image, Encoding(), np.random.default_rng(1))


def test_there_are_fifteen_kinds_of_bad_photos_or_more():
    assert len(PHOTO_CODES) >= 15
    assert set(PHOTO_CODES.values()) >= set(CODES) - {"too_large_bytes"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_rejected_with_its_code(kind, seed, good):
    with pytest.raises(BadPhoto) as caught:
        prepare(BAD_FILES[kind].spoil(good, np.random.default_rng(seed)), PrepSpec(64, 64))
    assert caught.value.code == BAD_FILES[kind].code


def test_the_bomb_is_small():
    assert len(BAD_FILES["png_bomb"].spoil(b"", np.random.default_rng(1))) < 1000


@pytest.mark.parametrize("kind", BAD_PLACES)
def test_a_bad_place_is_rejected_with_its_code(kind, tmp_path: Path):
    BAD_PLACES[kind].put(tmp_path / "photo.jpg")
    with pytest.raises(FetchError) as caught:
        Fetcher(str(tmp_path), 1 << 20).fetch("photo.jpg")
    assert caught.value.code == BAD_PLACES[kind].code
