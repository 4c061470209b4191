import io

import numpy as np
import pytest
from PIL import Image

from pipelines.demo.encode import Encoding, calibrate, encode_jpeg


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 15, 3), dtype=np.uint8)).resize((300, 400))


def test_grain_makes_a_file_larger_and_hardly_changes_the_mean(image):
    rng = np.random.default_rng(1)
    plain, grained = (encode_jpeg(image, Encoding(90, grain), rng) for grain in (0.0, 8.0))
    assert len(grained) > 1.5 * len(plain)
    with Image.open(io.BytesIO(grained)) as shown:
        assert np.asarray(shown).mean() == pytest.approx(np.asarray(image).mean(), abs=2)


@pytest.mark.parametrize("wanted", [12_000, 25_000, 60_000])
def test_calibration_comes_near_the_size_asked_for(image, wanted):
    rng = np.random.default_rng(1)
    encoding = calibrate([image], wanted, rng)
    assert len(encode_jpeg(image, encoding, rng)) == pytest.approx(wanted, rel=0.3)
