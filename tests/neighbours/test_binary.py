import faiss
import numpy as np
import pytest

from pipelines.neighbours.kinds import binary
from pipelines.neighbours.kinds.binary import BinaryIndex, entries_of, write_codes


def opened(folder, hashes, rows, slots):
    write_codes(folder, hashes, np.arange(len(hashes)), np.array(rows), np.array(slots), block_rows=3)
    index = BinaryIndex(threads=2)
    index.load(folder)
    return index


def depths(*values):
    return np.array(values, np.int64)


def test_nearest_codes_by_hand(hand_made, tmp_path):
    # Distance is the difference of angles. Rows 0-2 are in category 5, rows 3-4 in category 9.
    index = opened(tmp_path, hand_made.angle_code(10, 50, 200, 20, 90), [0, 1, 2, 3, 4], [5, 5, 5, 9, 9])
    query = hand_made.angle_code(25)
    assert index.search(query, None, depths(5)).tolist() == [[3, 0, 1, 4, 2]]  # 5, 15, 25, 65, 175 away
    assert index.search(query, [np.array([5])], depths(5)).tolist() == [[0, 1, 2, -1, -1]]
    assert index.search(query, [np.array([9, 77])], depths(1)).tolist() == [[3]]
    assert index.search(query, [np.array([77])], depths(2)).tolist() == [[-1, -1]]


def test_what_is_scanned_is_counted(hand_made, tmp_path):
    index = opened(tmp_path, hand_made.angle_code(1, 2, 3), [0, 1, 2], [5, 5, 9])
    assert index.scanned([np.array([5]), np.array([9, 5]), np.array([1])], 3).tolist() == [2, 3, 0]
    assert index.scanned(None, 2).tolist() == [3, 3]
    assert index.slots.tolist() == [5, 9]


def test_each_query_gets_its_own_categories_and_depth(hand_made, tmp_path):
    index = opened(tmp_path, hand_made.angle_code(10, 50, 20, 90), [0, 1, 2, 3], [5, 5, 9, 9])
    queries = hand_made.angle_code(15, 80)
    found = index.search(queries, [np.array([5]), np.array([5, 9])], depths(1, 3))
    assert found.tolist() == [[0, -1, -1], [3, 1, 2]]  # 10 and 30 and 60 degrees from 80


def test_equal_distances_are_ordered_by_position(tmp_path):
    codes = np.zeros((50, 8), np.uint8)
    index = opened(tmp_path, codes, np.arange(50), np.zeros(50, int))
    assert index.search(codes[:1], None, depths(7)).tolist() == [[0, 1, 2, 3, 4, 5, 6]]


def test_a_photo_in_two_categories_is_found_in_both_and_returned_once(hand_made, tmp_path):
    rows, slots = entries_of(np.array([0, 1, 1, 1]), np.array([5, 9, 5, 5]))
    assert (rows.tolist(), slots.tolist()) == ([0, 1, 1], [5, 5, 9])
    index = opened(tmp_path, hand_made.angle_code(10, 50), rows, slots)
    query = hand_made.angle_code(50)
    assert index.search(query, [np.array([9])], depths(2)).tolist() == [[1, -1]]
    assert index.search(query, None, depths(2)).tolist() == [[1, 0]]
    assert index.codes_of(np.array([1, 0])).tolist() == hand_made.angle_code(50, 10).tolist()


def test_pieces_and_batches_change_nothing(medium, tmp_path, monkeypatch):
    order = np.lexsort((np.arange(6_000), medium.slots))
    write_codes(tmp_path, medium.hashes, np.arange(6_000), order, medium.slots[order], 1_000)
    queries = medium.hash(medium.queries(20))
    slots = [np.array([q % 12, (q + 5) % 12]) for q in range(20)]
    # Brute force: among the codes of the two categories, by distance, then category, then row.
    distance = np.bitwise_count(queries[:, None, :] ^ medium.hashes[None, :, :]).sum(axis=2, dtype=np.int64)
    expected = []
    for query in range(20):
        rows = np.flatnonzero(np.isin(medium.slots, slots[query]))
        ranks = np.lexsort((rows, medium.slots[rows], distance[query][rows]))
        expected.append(rows[ranks[:40]].tolist())
    for piece, cells, few in ((65_536, 4_000_000, 10**9), (100, 2_000, 10**9), (65_536, 4_000_000, 0), (100, 2_000, 0)):
        monkeypatch.setattr(binary, "PIECE", piece)
        monkeypatch.setattr(binary, "RESULT_CELLS", cells)
        monkeypatch.setattr(binary, "FEW_CODES", few)
        index = BinaryIndex(threads=2)
        index.load(tmp_path)
        for _ in range(2):
            assert index.search(queries, slots, np.full(20, 40)).tolist() == expected


def test_a_search_leaves_the_threads_of_faiss_as_they_were(hand_made, tmp_path):
    index = opened(tmp_path, hand_made.angle_code(10, 50), [0, 1], [5, 5])
    before = faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(3)
        index.search(hand_made.angle_code(10), None, depths(1))
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)


def test_codes_of_another_model_are_refused(hand_made, tmp_path):
    index = opened(tmp_path, hand_made.angle_code(10, 50), [0, 1], [5, 5])
    with pytest.raises(ValueError, match=r"uint8 \(1, 64\), expected uint8 \[num_queries, 45\]"):
        index.search(np.zeros((1, 64), np.uint8), None, depths(1))


def test_a_row_s_place_is_that_at_which_a_search_finds_it(hand_made, tmp_path):
    index = opened(tmp_path, hand_made.angle_code(10, 50, 200, 20, 90, 40), np.arange(6), [5, 5, 5, 9, 9, 9])
    query = hand_made.angle_code(25)
    assert [index.standing(query[0], None, row) for row in range(6)] == [
        (15, 2), (25, 4), (175, 6), (5, 1), (65, 5), (15, 3),
    ]  # fmt: skip
    assert index.standing(query[0], np.array([9]), 5) == (15, 2)
    assert index.standing(query[0], np.array([9]), 0) == (15, None)
    assert index.standing(query[0], np.array([77]), 0) == (15, None)


def test_the_place_of_a_row_in_two_categories_counts_rows(hand_made, tmp_path, monkeypatch):
    monkeypatch.setattr(binary, "PIECE", 2)
    angles = hand_made.angle_code(10, 30, 60, 60)
    rows, slots = entries_of(np.array([0, 0, 1, 2, 3, 1]), np.array([5, 9, 5, 9, 5, 9]))
    index = opened(tmp_path, angles, rows, slots)
    query = hand_made.angle_code(0)
    order = index.search(query, None, depths(4))[0].tolist()
    assert [index.standing(query[0], None, row)[1] for row in order] == [1, 2, 3, 4]
    assert [index.standing(query[0], None, row)[0] for row in range(4)] == [10, 30, 60, 60]
