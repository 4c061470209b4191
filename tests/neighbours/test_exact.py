import numpy as np

from pipelines.neighbours.kinds.exact import ExactIndex
from pipelines.neighbours.kinds.rerank import exact_scores


def brute_force(vectors, queries, k):
    scores = queries @ vectors.astype(np.float32).T
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def test_the_nearest_by_hand(hand_made):
    index = ExactIndex()
    index.build(hand_made.at_angles(0, 90, 60, 180))
    found = index.search(hand_made.at_angles(10), 3)
    assert found.rows.tolist() == [[0, 2, 1]]  # 10, 50 and 80 degrees away
    assert np.allclose(found.scores, np.cos(np.deg2rad([[10, 50, 80]])), atol=1e-6)


def test_equal_to_comparing_everything_whatever_the_block(medium):
    vectors, queries = medium.vectors.astype(np.float16), medium.queries(30)
    for block_rows in (977, 100_000):
        index = ExactIndex(block_rows)
        index.build(vectors)
        assert (index.search(queries, 10).rows == brute_force(vectors, queries, 10)).all()


def test_more_than_there_are_is_padded(small):
    index = ExactIndex()
    index.build(small.vectors)
    found = index.search(small.vectors[:2], 130)
    assert (np.sort(found.rows[:, :100], axis=1) == np.arange(100)).all()
    assert (found.rows[:, 100:] == -1).all() and np.isneginf(found.scores[:, 100:]).all()


def test_only_live_rows_are_found(medium):
    index, live = ExactIndex(1_000), np.zeros(len(medium.vectors), bool)
    live[2_500:2_503] = True  # the other blocks hold nothing live
    index.build(medium.vectors)
    assert set(index.search(medium.queries(3), 5, live=live).rows.ravel().tolist()) == {2_500, 2_501, 2_502, -1}


def test_no_queries_give_no_results(small):
    index = ExactIndex()
    index.build(small.vectors)
    assert index.search(np.zeros((0, 512), np.float32), 4).rows.shape == (0, 4)


def test_a_score_does_not_depend_on_the_batch(medium):
    vectors, queries = medium.vectors.astype(np.float16), medium.queries(40)
    index = ExactIndex()
    index.build(vectors)
    together = index.search(queries, 10)
    for query in range(0, 40, 7):
        alone = index.search(queries[query : query + 1], 10)
        assert (alone.rows[0] == together.rows[query]).all()
        assert (alone.scores[0] == together.scores[query]).all()  # to the last bit


def test_scores_of_missing_rows_are_minus_infinity(hand_made):
    scores = exact_scores(hand_made.at_angles(0, 60), hand_made.at_angles(0), np.array([[1, -1]]))
    assert np.allclose(scores[0, 0], 0.5, atol=1e-6) and np.isneginf(scores[0, 1])
