from __future__ import annotations

import pyarrow as pa

from pipelines.evaluate.gallery import (
    FOLDS,
    LINKS,
    NUMBER_BITS,
    count_relevant,
    fold_of,
    folds_of,
    key_of,
    keys_of,
    links_of,
    placed,
)
from pipelines.tables.schemas import RESOLVED_VECTORS

A, B, C = (bytes([n]) * 32 for n in (1, 2, 3))


def photos() -> pa.Table:
    return pa.table(
        {
            "digest": pa.array([A, B, C], pa.binary(32)),
            "item_id": ["a", "b", "a"],
            "group_id": ["g", "", "g"],
            "role": ["main", "main", "street"],
            "split": ["test", "train", None],
            "category": [["shoes", "boots"], None, ["shoes", "boots"]],
        }
    )


def test_links_are_of_the_gallery_roles() -> None:
    links = links_of(photos(), ["main"], "item")
    assert links.to_pylist() == [
        {"digest": A, "item_id": "a", "fold": "item:a", "test": True},
        {"digest": B, "item_id": "b", "fold": "item:b", "test": False},
    ]
    assert links_of(photos(), ["street"], "item")["test"].to_pylist() == [False]  # no split is not the test split


def test_results_of_a_group_stand_for_the_group() -> None:
    table = photos()
    assert fold_of(table["item_id"], table["group_id"], "group").to_pylist() == ["group:g", "item:b", "group:g"]
    assert fold_of(table["item_id"], table["group_id"], "item").to_pylist() == ["item:a", "item:b", "item:a"]


def test_relevant_results_are_counted_once_a_group() -> None:
    rows = [
        ("group:g", "shoes", False),
        ("group:g", "shoes", True),
        ("item:b", "shoes", True),
        ("item:c", "bags", False),
    ]
    folds = pa.table(list(zip(*rows, strict=True)), schema=FOLDS)
    whole, kept = count_relevant(folds)
    assert whole == {"shoes": 2, "bags": 1}
    assert kept == {"shoes": 1, "bags": 1}


def test_folds_carry_the_category_path() -> None:
    table = photos()
    folds = folds_of(table, links_of(table, ["main", "street"], "item"))
    assert sorted(map(tuple, (row.values() for row in folds.to_pylist()))) == [
        ("item:a", "shoes\x1fboots", False),
        ("item:a", "shoes\x1fboots", True),
        ("item:b", "", False),
    ]


def test_only_links_with_a_vector_are_placed_and_numbered_by_bucket() -> None:
    rows = [(B, "b", "item:b", False), (A, "a", "item:a", True), (A, "a", "item:a", True), (C, "c", "item:c", False)]
    links = pa.table(list(zip(*rows, strict=True)), schema=LINKS)
    vectors = pa.table(
        [
            pa.array([A, B, C], pa.binary(32)),
            ["full"] * 3,
            ["m"] * 3,
            ["u1", "u2", "u3"],
            pa.array([5, 6, -1], pa.int32()),
            ["", "", "not_finite"],
        ],
        schema=RESOLVED_VECTORS,
    )
    found = placed(links, vectors, bucket=3)
    assert found["item_id"].to_pylist() == ["a", "b"]
    assert found["unit_id"].to_pylist() == ["u1", "u2"]
    assert found["row"].to_pylist() == [5, 6]
    assert found["number"].to_pylist() == [3 << NUMBER_BITS, (3 << NUMBER_BITS) + 1]


def test_keys_are_the_same_for_arrays_and_single_names() -> None:
    assert keys_of(pa.array(["x", "y"])).tolist() == [key_of("x"), key_of("y")]
    assert keys_of(pa.array([A], pa.binary(32))).tolist() == [key_of(A)]
    # The first 8 bytes of sha256("x"), little end first.
    assert key_of("x") == int.from_bytes(bytes.fromhex("2d711642b726b044"), "little")
