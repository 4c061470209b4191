from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.evaluate.gallery import key_of
from pipelines.evaluate.tops import Top, Tops, merge_tops
from pipelines.evaluate.truth import QUERY_BLOCK, Scan, own_keys, scan_unit

A, B, C = (bytes([n]) * 32 for n in (1, 2, 3))
# Three photos at 1, .8 and 0 of the first query; item "a" and its double share photo A; "b" is of the test split.
VECTORS = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
ROWS = pa.table(
    {
        "digest": pa.array([A, A, B, C], pa.binary(32)),
        "item_id": ["a", "double", "b", "c"],
        "fold": ["item:a", "item:double", "item:b", "item:c"],
        "test": [False, False, True, False],
        "row": pa.array([0, 0, 1, 2], pa.int32()),
        "number": pa.array([0, 1, 2, 3], pa.int64()),
    }
)


def scan_of(*, photo: int = 0, own: tuple[str, ...] = (), whole: bool = False) -> Tops:
    scan = Scan(VECTORS[:1], np.array([photo], np.uint64), (own_keys(own),), np.array([whole]))
    ((block, tops),) = scan_unit(scan, VECTORS, ROWS)
    assert block == 0
    return tops


def numbers(top: Top) -> list[int]:
    return [number for number in top.numbers[0].tolist() if number >= 0]


def test_photos_and_results_are_ranked_by_similarity() -> None:
    tops = scan_of(whole=True)
    assert numbers(tops.photos) == [0, 2, 3]
    assert sorted(numbers(tops.results)[:2]) == [0, 1]  # both items of photo A score 1
    assert numbers(tops.results)[2:] == [2, 3]
    np.testing.assert_allclose(tops.results.scores[0], [1, 1, 0.8, 0], atol=1e-6)


def test_a_query_does_not_find_its_own_photo_and_items() -> None:
    tops = scan_of(photo=key_of(A), own=("a", "double"))
    assert numbers(tops.photos) == [2, 3]
    assert numbers(tops.results) == [2, 3]


def test_the_test_split_is_left_out_unless_the_whole_gallery_is_meant() -> None:
    assert 2 not in numbers(scan_of().kept)
    assert 2 in numbers(scan_of().results)
    assert 2 in numbers(scan_of(whole=True).kept)


def test_the_mean_counts_every_photo_once() -> None:
    tops = scan_of()
    assert tops.count == 3
    np.testing.assert_allclose(tops.total, [1.8, 1.6], rtol=1e-6)


def test_units_merged_are_what_one_unit_finds() -> None:
    scan = Scan(VECTORS[:1], np.zeros(1, np.uint64), (frozenset(),), np.array([True]))
    parts = [next(scan_unit(scan, VECTORS, ROWS.slice(*part)))[1] for part in ((0, 2), (2, 2))]
    merged = merge_tops(parts)
    assert merged is not None
    assert numbers(merged.results) == numbers(scan_of(whole=True).results)
    assert merged.count == 3
    assert merge_tops([]) is None


def test_tops_survive_their_bytes() -> None:
    tops = scan_of(whole=True)
    back = Tops.from_bytes(tops.to_bytes())
    np.testing.assert_array_equal(back.results.numbers, tops.results.numbers)
    np.testing.assert_array_equal(back.photos.keys, tops.photos.keys)
    assert (back.count, back.total.tolist()) == (tops.count, tops.total.tolist())


def test_blocks_of_queries_are_stacked_in_order() -> None:
    count = QUERY_BLOCK + 3
    queries = np.repeat(VECTORS[[0, 2]], [QUERY_BLOCK, 3], axis=0)
    scan = Scan(queries, np.zeros(count, np.uint64), (frozenset(),) * count, np.ones(count, bool))
    assert scan.blocks == 2
    stacked = Tops.stacked([tops for _, tops in scan_unit(scan, VECTORS, ROWS)])
    assert stacked.photos.numbers[0, 0] == 0
    assert stacked.photos.numbers[-1, 0] == 3
    assert len(stacked.photos.numbers) == count
    assert stacked.count == 3


def test_a_scan_survives_its_bytes() -> None:
    scan = Scan(
        VECTORS,
        np.array([1, 0, 3], np.uint64),
        (own_keys(("a", "b")), own_keys(()), own_keys(("c",))),
        np.ones(3, bool),
    )
    back = Scan.from_bytes(scan.to_bytes())
    np.testing.assert_array_equal(back.embeddings, scan.embeddings)
    assert back.own == scan.own
    assert back.photo.tolist() == [1, 0, 3]
    assert back.whole.all()
