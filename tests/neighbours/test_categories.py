import numpy as np
import pytest

from pipelines.neighbours.query.categories import choose, fuse, vote


def test_neighbours_vote_by_similarity():
    scores = np.array([[1.0, 1.0, 0.9], [0.5, 0, 0]], np.float32)
    shares = vote(scores, np.array([[4, 4, 1], [-1, -1, -1]]), num_slots=5)
    # Two votes of e^10 against one of e^9: 2 / (2 + 1 / e) for category 4. The other query's neighbour has no category.
    assert shares[0, 4] == pytest.approx(2 / (2 + np.exp(-1)), rel=1e-6)
    assert shares[0].sum() == pytest.approx(1)
    assert not shares[1].any()


def test_a_vote_for_what_the_model_has_no_column_for_is_none():
    assert vote(np.array([[0.9, 0.9]], np.float32), np.array([[1, 7]]), num_slots=2).tolist() == [[0, 1]]


def test_votes_are_weighed_against_the_model():
    fused = fuse(np.array([[0.8, 0.2], [0.8, 0.2]], np.float32), np.array([[0, 1], [0, 0]], np.float32), 0.25)
    assert np.allclose(fused, [[0.6, 0.4], [0.8, 0.2]])


def chosen(probabilities, present, trained=None, count=2, mass=0.0):
    found = choose(np.array([probabilities], np.float32), np.array(present), trained, count, mass)
    return found[0].tolist()


def test_the_best_categories_of_those_in_the_index():
    assert chosen([0.5, 0.3, 0.15, 0.05], [1, 2, 3]) == [1, 2]  # category 0 holds no photo


def test_more_categories_until_their_probabilities_suffice():
    assert chosen([0.7, 0.2, 0.1], [0, 1, 2], count=1, mass=0.7) == [0]
    assert chosen([0.7, 0.2, 0.1], [0, 1, 2], count=1, mass=0.8) == [0, 1]
    assert chosen([0.7, 0.2, 0.1], [0, 1, 2], count=2, mass=0.7) == [0, 1]


def test_what_is_impossible_is_not_added():
    # a stored photo keeps its few best categories only: the rest says 0, and their sum never gets to the mass
    assert chosen([0.6, 0.2, 0.0, 0.0], [0, 1, 2, 3], count=1, mass=0.95) == [0, 1]
    assert chosen([0.6, 0.2, 0.0, 0.0], [0, 1, 2, 3], count=3, mass=0.95) == [0, 1, 2]


def test_a_mass_of_one_adds_all_that_is_possible():
    # 1e-9 more than .5 is lost in float32: a sum of the first two would be taken for all of them.
    assert chosen([0.5, 0.5, 1e-9, 0.0], [0, 1, 2, 3], count=1, mass=1.0) == [0, 1, 2]


def test_what_no_model_can_predict_is_always_scanned():
    # -1 is unknown, 3 is newer than the model, 1 had too few photos to be trained.
    assert chosen([0.2, 0.7, 0.1], [-1, 0, 1, 2, 3], trained=np.array([0, 2]), count=1) == [0, -1, 1, 3]
