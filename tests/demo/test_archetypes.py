import itertools

import numpy as np
import pytest

from pipelines.demo.archetypes import ARCHETYPES
from pipelines.demo.paint import LIGHTS
from pipelines.demo.palette import (
    COLOUR_WEIGHTS,
    COLOURS,
    MATERIALS,
    PATTERN_WEIGHTS,
    PATTERNS,
    SHAPE_WEIGHTS,
    SHAPES,
    Look,
    role_colours,
)
from pipelines.demo.sketch import Sketch, Variant
from pipelines.demo.taxonomy import MAX_LEVELS

ROLES = set(role_colours(Look("red", "white", "solid", "cotton")))


def drawings(archetype, axes):
    """Every combination of the axes' values, the other axes at their first value."""
    rest = {axis.name: next(iter(axis.values.values())) for axis in archetype.axes}
    for numbers in itertools.product(*(axis.values.values() for axis in axes)):
        sketch = Sketch()
        archetype.draw(sketch, Variant({**rest, **dict(zip([a.name for a in axes], numbers, strict=True))}, 0.9))
        yield sketch.parts


def test_there_are_enough_kinds_of_products():
    names = [archetype.name for archetype in ARCHETYPES]
    assert len(names) == len(set(names)) >= 20


@pytest.mark.parametrize("archetype", ARCHETYPES, ids=lambda a: a.name)
def test_every_leaf_category_is_drawn_differently_and_near_the_frame(archetype):
    axes = archetype.axes[: MAX_LEVELS - len(archetype.parents) - 1]
    seen = set()
    for parts in drawings(archetype, axes):
        seen.add(tuple((part.role, part.points.round(6).tobytes()) for part in parts))
        every = np.vstack([part.points for part in parts])
        assert np.isfinite(every).all()
        assert np.abs(every).max() < 1.6
        assert {part.role for part in parts} <= ROLES
        assert {part.light for part in parts} <= set(LIGHTS)
    assert len(seen) == np.prod([len(axis.values) for axis in axes])


def test_every_material_of_an_archetype_is_known():
    assert {name for archetype in ARCHETYPES for name in archetype.materials} <= set(MATERIALS)


def test_every_colour_pattern_and_shape_has_a_weight():
    assert len(COLOUR_WEIGHTS) == len(COLOURS)
    assert len(PATTERN_WEIGHTS) == len(PATTERNS)
    assert len(SHAPE_WEIGHTS) == len(SHAPES)
