import numpy as np
import pytest

from pipelines.neighbours.kinds.base import (
    as_float32,
    blocks,
    check_queries,
    check_vectors,
    mapped,
    ranked,
    sample_rows,
)


def test_results_fall_by_score_then_rise_by_row_and_end_in_padding():
    rows = np.array([[9, -1, 4, 2]])
    scores = np.array([[0.5, 9.0, 0.7, 0.5]], np.float32)
    result = ranked(rows, scores, 5)
    # .7 first; the two .5 by row; the missing row loses its score of 9.
    assert result.rows.tolist() == [[4, 2, 9, -1, -1]]
    assert result.scores[0, :3].tolist() == pytest.approx([0.7, 0.5, 0.5])
    assert np.isneginf(result.scores[0, 3:]).all()


def test_results_are_cut_to_k():
    assert ranked(np.array([[1, 2, 3]]), np.array([[1, 3, 2]], np.float32), 2).rows.tolist() == [[2, 3]]


@pytest.mark.parametrize(
    ("queries", "k", "message"),
    [
        (np.zeros((2, 3), np.float32), 1, r"shape \(2, 3\), expected \[num_queries, 4\].*index's model"),
        (np.zeros((2, 4), np.float32), 0, "k is 0: ask for at least one"),
        (np.array([[0, 0, 0, 0], [0, np.nan, 0, 0]], np.float32), 1, "query 1 holds a NaN"),
    ],
)
def test_wrong_queries_are_refused(queries, k, message):
    with pytest.raises(ValueError, match=message):
        check_queries(queries, 4, k)


def test_vectors_must_be_a_table_of_floats():
    with pytest.raises(ValueError, match=r"shape \(0, 4\).*at least one vector"):
        check_vectors(np.zeros((0, 4), np.float16))
    with pytest.raises(ValueError, match="float64: store them as float16"):
        check_vectors(np.zeros((1, 4)))


def test_every_finite_half_becomes_the_float_of_the_same_value():
    halves = np.arange(65_536, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].reshape(-1, 64)  # 63,488 of them, subnormals and -0 too
    assert (as_float32(halves).view(np.uint32) == halves.astype(np.float32).view(np.uint32)).all()
    assert (as_float32(halves[::-3]) == halves[::-3].astype(np.float32)).all()  # not contiguous
    assert as_float32(np.ones((2, 3), np.float32)).tolist() == [[1] * 3] * 2


def test_blocks_cover_every_position_once():
    assert [(b.start, b.stop) for b in blocks(7, 3)] == [(0, 3), (3, 6), (6, 7)]
    assert list(blocks(0, 3)) == []


def test_a_sample_is_sorted_distinct_and_follows_its_seed():
    one, same, other = sample_rows(1_000, 50, 1), sample_rows(1_000, 50, 1), sample_rows(1_000, 50, 2)
    assert len(set(one.tolist())) == 50 and (np.diff(one) > 0).all()
    assert (one == same).all() and (one != other).any()
    assert sample_rows(3, 50, 1).tolist() == [0, 1, 2]


def test_a_mapped_array_is_the_file_read_only_and_no_subclass(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.float16).reshape(2, 3))
    array = mapped(tmp_path / "a.npy")
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert array.dtype == np.float16
    assert type(array) is type(array[1:]) is np.ndarray  # numpy.memmap would make every slice dear
    assert isinstance(array.base, np.memmap)  # nothing was read but what is used
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1
