import numpy as np
import pytest

from pipelines.demo.geometry import bar, box, flip, mirrored, oval, poly, regular, smooth, star, tube


def test_a_bar_has_its_width_across_its_path():
    points = bar(0, 0, 2, 0, 0.5)
    assert points.min(axis=0) == pytest.approx([0, -0.25])
    assert points.max(axis=0) == pytest.approx([2, 0.25])


def test_a_tube_narrows_from_its_first_width_to_its_last():
    points = tube(poly((0, 0), (1, 0), (2, 0)), 1.0, 0.5)
    assert np.abs(points[:3, 1]) == pytest.approx([0.5, 0.375, 0.25])


def test_one_round_of_corner_cutting_replaces_a_corner_by_two_points_at_its_quarters():
    cut = smooth(poly((0, 0), (4, 0), (4, 4), (0, 4)), rounds=1)
    assert len(cut) == 8
    assert cut[:2] == pytest.approx(np.array([[1, 0], [3, 0]]))


def test_an_open_path_keeps_its_ends():
    path = smooth(poly((0, 0), (1, 1), (2, 0)), closed=False)
    assert path[0] == pytest.approx([0, 0])
    assert path[-1] == pytest.approx([2, 0])


def test_a_rounded_box_fills_the_same_bounds_without_its_corners():
    points = box(0, 0, 4, 2, 0.5)
    assert points.min(axis=0) == pytest.approx([0, 0])
    assert points.max(axis=0) == pytest.approx([4, 2])
    assert np.hypot(*(points - (0, 0)).T).min() > 0.2


def test_an_arc_starts_and_stops_where_asked_clockwise_on_the_screen():
    arc = oval(1, 1, 2, 1, 0, 90)
    assert arc[0] == pytest.approx([3, 1])
    assert arc[-1] == pytest.approx([1, 2])


def test_mirrored_outlines_are_symmetric():
    outline = mirrored((0.5, -1), (0.8, 1))
    assert outline == pytest.approx(np.array([[0.5, -1], [0.8, 1], [-0.8, 1], [-0.5, -1]]))
    assert flip(outline)[:, 0] == pytest.approx(-outline[:, 0])


def test_a_star_has_notches_at_its_inner_radius():
    radii = np.hypot(*star(0, 0, 1.0, inner=0.5, tips=5).T)
    assert radii == pytest.approx([1.0, 0.5] * 5)
    assert regular(0, 0, 1, 1, 4)[0] == pytest.approx([0, -1])
