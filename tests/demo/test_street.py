import numpy as np
import pytest
from PIL import Image

from pipelines.demo import street
from pipelines.demo.archetypes import ARCHETYPES
from pipelines.demo.palette import Look
from pipelines.demo.sketch import Variant
from pipelines.demo.street import SCENES, camera, somewhere, street_photo
from pipelines.demo.views import Product, parts_of

SIZE = (80, 100)


def product(number: int) -> Product:
    archetype = ARCHETYPES[number]
    middle = {axis.name: list(axis.values.values())[len(axis.values) // 2] for axis in archetype.axes}
    return Product(archetype, Variant(middle), Look("red", "white", "solid", "cotton"))


@pytest.mark.parametrize("number", range(len(ARCHETYPES)))
def test_a_product_lies_wholly_inside_the_photo(number):
    rng = np.random.default_rng(number)
    for _ in range(5):
        parts = parts_of(product(number))
        place = somewhere(parts, SIZE, rng)
        points = np.vstack([part.points for part in parts]) @ place[:, :2].T + place[:, 2]
        assert (points >= 0).all()
        assert (points <= SIZE).all()


def test_the_box_holds_what_differs_from_the_scene_and_little_more(monkeypatch):
    def white(size, _rng):
        return Image.new("RGB", size, (255, 255, 255))

    monkeypatch.setattr(street, "SCENES", (white,))
    monkeypatch.setattr(street, "occlude", lambda *_: None)
    monkeypatch.setattr(street, "drop_shadow", lambda *_: None)
    monkeypatch.setattr(street, "camera", lambda photo, _rng: photo)
    for number in range(0, len(ARCHETYPES), 5):
        photo, (left, top, right, bottom) = street_photo(product(number), SIZE, np.random.default_rng(number))
        rows, columns = np.nonzero(np.asarray(photo).min(axis=2) < 200)
        assert (left, top) == (pytest.approx(columns.min(), abs=2), pytest.approx(rows.min(), abs=2))
        assert (right, bottom) == (pytest.approx(columns.max() + 1, abs=2), pytest.approx(rows.max() + 1, abs=2))


def test_every_scene_fills_the_frame():
    for scene in SCENES:
        image = scene(SIZE, np.random.default_rng(1))
        assert (image.mode, image.size) == ("RGB", SIZE)
        assert np.asarray(image).std() > 3


def test_two_photos_of_a_product_differ_in_light():
    grey = Image.new("RGB", SIZE, (128, 128, 128))
    means = [np.asarray(camera(grey, np.random.default_rng(seed))).mean() for seed in range(6)]
    assert max(means) - min(means) > 15
    assert np.asarray(camera(grey, np.random.default_rng(1))).std() > 2
