"""Near-duplicates by perceptual hash: what shares no key is further apart than the distance, however many there are."""

import io
import os
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pipelines.tables.alike import ALIKE, DISTANCE, band_keys, find_alike
from transforms.phash import hamming, phash


def photos(hashes: list[int]) -> pa.Table:
    rows = [{"phash": one.to_bytes(8, "big"), "label": n.to_bytes(8, "big")} for n, one in enumerate(hashes)]
    return pa.Table.from_pylist(rows, pa.schema([("phash", pa.binary(8)), ("label", pa.binary(8))]))


def found(hashes: list[int]) -> dict[tuple[int, int], int]:
    table = find_alike(band_keys(photos(hashes)))
    assert table.schema.equals(ALIKE)
    return {
        (int.from_bytes(row["other"], "big"), int.from_bytes(row["label"], "big")): row["distance"]
        for row in table.to_pylist()
    }


def flipped(value: int, bits: list[int]) -> int:
    for bit in bits:
        value ^= 1 << bit
    return value


def test_all_pairs_within_the_distance_are_found_and_no_other() -> None:
    draw = random.Random(3)
    hashes = [draw.getrandbits(64) for _ in range(40)]
    hashes += [flipped(one, draw.sample(range(64), draw.randint(0, 5))) for one in hashes for _ in range(10)]
    expected = {
        (a, b): (hashes[a] ^ hashes[b]).bit_count()
        for b in range(len(hashes))
        for a in range(b)
        if (hashes[a] ^ hashes[b]).bit_count() <= DISTANCE
    }
    assert len(expected) > 300
    assert found(hashes) == expected


def test_work_grows_with_the_photos() -> None:
    draw = random.Random(4)
    assert found([draw.getrandbits(64) for _ in range(30_000)]) == {}  # 450 million pairs, in a second


def test_nothing_is_alike_in_nothing() -> None:
    assert found([]) == {}
    assert found([5]) == {}


@pytest.mark.skipif("VISUAL_SEARCH_PHOTOS" not in os.environ, reason="VISUAL_SEARCH_PHOTOS names no photos")
def test_real_photos_encoded_again_are_alike_and_others_are_not() -> None:
    paths = sorted(Path(os.environ["VISUAL_SEARCH_PHOTOS"], "fashion60", "images").rglob("*.jpg"))
    pictures = [Image.open(path).convert("RGB") for path in random.Random(5).sample(paths, 600)]
    hashes = [phash(one) for one in pictures]
    near = [hamming(phash(_again(one)), own) <= DISTANCE for one, own in zip(pictures, hashes, strict=True)]
    assert np.mean(near) >= 0.9
    others = [hamming(a, b) <= DISTANCE for n, a in enumerate(hashes) for b in hashes[:n]]
    assert np.mean(others) <= 0.0005


def _again(picture: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    picture.resize((picture.width * 3 // 2, picture.height * 3 // 2)).save(stream, "JPEG", quality=80)
    return Image.open(stream).convert("RGB")
