import numpy as np
import pytest

from pipelines.demo.archetypes import ARCHETYPES
from pipelines.demo.geometry import box
from pipelines.demo.palette import COLOURS, PATTERNS, Look
from pipelines.demo.sketch import Part, Variant
from pipelines.demo.views import Product, fitted, placement, product_photo

MUG = next(archetype for archetype in ARCHETYPES if archetype.name == "Mugs")


def mug(**look) -> Product:
    middle = {axis.name: next(iter(axis.values.values())) for axis in MUG.axes}
    return Product(
        MUG,
        Variant(middle),
        Look(**{"colour": "red", "second": "white", "pattern": "solid", "material": "ceramic", **look}),
    )


def pixels(product: Product, number: int = 0, seed: int = 1, size=(80, 100)) -> np.ndarray:
    return np.asarray(product_photo(product, number, size, np.random.default_rng(seed), white=True), dtype=int)


def test_a_photo_has_the_size_asked_for_whether_painted_finer_or_not():
    assert pixels(mug()).shape == (100, 80, 3)
    assert pixels(mug(), size=(450, 500)).shape == (500, 450, 3)


def test_the_middle_of_a_red_mug_is_red_and_the_corners_are_white():
    photo = pixels(mug())
    red, green, blue = photo[55, 38]
    assert red > 120
    assert max(green, blue) < 0.6 * red
    assert (photo[0, 0] == 255).all()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_shows_its_second_colour(pattern):
    plain, patterned = pixels(mug()), pixels(mug(pattern=pattern))
    changed = np.abs(plain - patterned).max(axis=2) > 40
    assert changed.mean() > 0.03 if pattern != "solid" else changed.mean() == 0


def test_every_colour_looks_different():
    means = {name: pixels(mug(colour=name))[40:70, 30:50].mean(axis=(0, 1)) for name in COLOURS}
    names = list(means)
    closest = min(np.abs(means[a] - means[b]).max() for a in names for b in names if a < b)
    assert closest > 8


def test_each_view_shows_something_else():
    views = [pixels(mug(), number) for number in range(4)]
    for number in range(3):
        assert np.abs(views[number] - views[3]).mean() > 4
    assert (views[2].min(axis=2) < 240).mean() > (views[0].min(axis=2) < 240).mean()  # a detail fills more of the frame


def test_fitting_centres_and_shrinks_what_would_stick_out():
    parts = [Part(box(-3, -1, 3, 1))]
    place = fitted(placement((100, 100), 1.0), parts, (100, 100), margin=0.05)
    points = parts[0].points @ place[:, :2].T + place[:, 2]
    assert points.min(axis=0) == pytest.approx([5, 35])
    assert points.max(axis=0) == pytest.approx([95, 65])
