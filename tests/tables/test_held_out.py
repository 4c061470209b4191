from __future__ import annotations

import pyarrow as pa
import pytest

from pipelines.tables.held_out import is_held_out, learned_from

LEAVES = [("shoes", f"leaf {n}") for n in range(1000)]


def test_about_the_share_is_held_out_and_the_same_leaves_in_a_larger_share() -> None:
    small, large = ({leaf for leaf in LEAVES if is_held_out(leaf, share)} for share in (0.1, 0.2))
    assert len(small) / 1000 == pytest.approx(0.1, abs=0.03)
    assert small < large


def test_nothing_is_held_out_by_default_nor_what_has_no_category() -> None:
    assert not any(is_held_out(leaf, 0.0) for leaf in LEAVES)
    assert not is_held_out((), 1.0)
    assert learned_from(pa.chunked_array([pa.array([["a"], None, []])]), 1.0).to_pylist() == [False, True, True]
