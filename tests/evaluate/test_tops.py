from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evaluate.tops import Top, best_of_block, merge, nothing


def scores_of(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float32)


def keys_of(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64)


def test_a_key_has_the_score_of_its_best_row_and_the_number_of_its_first() -> None:
    found = best_of_block(scores_of([[0.1, 0.9, 0.5]]), np.array([10, 11, 12]), keys_of([7, 7, 8]))
    assert found.keys.tolist() == [[7, 8]]
    assert found.numbers.tolist() == [[10, 12]]
    np.testing.assert_allclose(found.scores, [[0.9, 0.5]], rtol=1e-6)


def test_what_a_query_may_not_find_has_no_number() -> None:
    found = best_of_block(scores_of([[-np.inf, 0.2], [0.3, 0.2]]), np.array([1, 2]), keys_of([5, 6]))
    assert found.numbers.tolist() == [[2, -1], [1, 2]]
    assert np.isneginf(found.scores[0, 1])


def test_only_the_best_are_kept_equal_scores_by_key() -> None:
    found = best_of_block(scores_of([[0.5, 0.9, 0.5, 0.1]]), np.arange(4), keys_of([9, 8, 7, 6]), kept=3)
    assert found.keys.tolist() == [[8, 7, 9]]


def test_an_empty_block_finds_nothing() -> None:
    found = best_of_block(np.zeros((2, 0), np.float32), np.zeros(0, np.int64), keys_of([]))
    assert found.scores.shape == (2, 0)
    assert merge(nothing(2), found).numbers.shape == (2, 0)


def test_merging_keeps_the_better_of_equal_keys() -> None:
    first = Top(scores_of([[0.9, 0.4]]), np.array([[1, 2]]), keys_of([[5, 6]]))
    second = Top(scores_of([[0.8, 0.5]]), np.array([[3, 4]]), keys_of([[6, 5]]))
    found = merge(first, second)
    there = found.numbers[0] >= 0
    assert found.keys[0, there].tolist() == [5, 6]
    assert found.numbers[0, there].tolist() == [1, 3]


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 12), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_blocks_merged_are_what_one_search_finds(seed: int, rows: int, keys: int, kept: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.normal(size=(3, rows)).astype(np.float32)
    names = random.integers(0, keys, rows).astype(np.uint64)
    cuts = sorted(random.integers(0, rows + 1, 2).tolist())
    merged = nothing(3)
    for start, stop in zip([0, *cuts], [*cuts, rows], strict=True):
        merged = merge(
            merged, best_of_block(scores[:, start:stop], np.arange(start, stop), names[start:stop], kept), kept
        )
    for query in range(3):
        best = {int(key): max(scores[query, names == key]) for key in set(names.tolist())}
        expected = sorted(best, key=lambda key: (-best[key], key))[:kept]
        there = merged.numbers[query] >= 0
        assert merged.keys[query, there].tolist() == expected
        assert merged.scores[query, there].tolist() == pytest.approx([best[key] for key in expected])
