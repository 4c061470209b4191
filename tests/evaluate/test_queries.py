from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from pipelines.evaluate.queries import LEAF_FLOOR, active_photos, as_queries, drawn, narrowed
from pipelines.evaluate.queries import candidates as candidates_and_counts
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS


def photo(item: str, pixels: str, **values: object) -> dict[str, object]:
    row = {
        "item_id": item,
        "image_uri": f"{pixels}.jpg",
        "role": "main",
        "position": 0,
        "split": "test",
        "digest": hashlib.sha256(pixels.encode()).digest(),
        "code": "",
        "image_unit": "unit",
        "image_row": 4,
    }
    return row | values


def active(*photos: dict[str, object]) -> pa.Table:
    items = [
        {
            "item_id": name,
            "group_id": f"g{name}",
            "category": ["shoes", "boots"],
            "title": name,
            "attributes": [("colour", "red")],
        }
        for name in ("a", "b", "c")
    ]
    return active_photos(pa.Table.from_pylist(list(photos), RESOLVED_PHOTOS), pa.Table.from_pylist(items, ITEMS))


def candidates(*args: Any, **options: Any) -> pa.Table:
    """Return the queries drawn of a table alone."""
    table, counts = candidates_and_counts(*args, **options)
    return drawn(table, counts, args[3])


def ids(table: pa.Table) -> set[str]:
    return set(table["item_id"].to_pylist())


def test_only_prepared_photos_of_known_items_are_active() -> None:
    table = active(photo("a", "1"), photo("b", "2", code="bad_image", digest=None), photo("gone", "3"))
    assert table["item_id"].to_pylist() == ["a"]
    assert table["group_id"].to_pylist() == ["ga"]
    assert table["category"].to_pylist() == [["shoes", "boots"]]


def test_held_out_queries_are_of_the_test_split() -> None:
    table = active(photo("a", "1"), photo("b", "2", split="train"), photo("c", "3", split="val"))
    assert ids(candidates(table, (), ("main",), 9, held_out=True)) == {"a"}
    assert ids(candidates(table, (), ("main",), 9, held_out=False)) == {"a", "b", "c"}


def test_roles_choose_and_tell_which_queries_the_gallery_does_not_hold() -> None:
    table = active(photo("a", "1"), photo("b", "2", role="street"))
    assert ids(candidates(table, ("street",), ("main",), 9, held_out=True)) == {"b"}
    both = as_queries(candidates(table, (), ("main",), 9, held_out=True))
    assert {query.item_id: query.cross for query in both} == {"a": False, "b": True}


def test_sampling_follows_the_photo_not_the_order_of_the_table() -> None:
    photos = [photo("a", str(n)) for n in range(40)]
    first = candidates(active(*photos), (), ("main",), 5, held_out=True)
    second = candidates(active(*reversed(photos)), (), ("main",), 5, held_out=True)
    assert first.num_rows == 5
    assert first["digest"].to_pylist() == second["digest"].to_pylist()
    by_hand = sorted(hashlib.sha256(b"query:" + row["digest"]).digest() for row in photos)[:5]  # type: ignore[operator]
    assert first["rank"].to_pylist() == by_hand


def test_parts_sampled_apart_are_what_the_whole_would_give() -> None:
    photos = [photo("a", str(n)) for n in range(40)]
    whole = candidates_and_counts(active(*photos), (), ("main",), 7, held_out=True)[0]
    parts = [candidates_and_counts(active(*photos[n::3]), (), ("main",), 7, held_out=True)[0] for n in range(3)]
    assert narrowed(parts, 7).equals(whole)
    assert narrowed([], 7).num_rows == 0


def shop(leaves: dict[str, int]) -> tuple[pa.Table, Counter[str]]:
    """Return the candidates of a shop with so many photos a leaf."""
    rows = [photo(leaf, f"{leaf}-{n}") for leaf, count in leaves.items() for n in range(count)]
    table = pa.Table.from_pylist(rows, RESOLVED_PHOTOS)
    for name, values in (("group_id", None), ("title", None), ("category", [[row["item_id"]] for row in rows])):
        table = table.append_column(name, pa.array(values or [""] * len(rows)))
    table = table.append_column("attributes", pa.array([[]] * len(rows), pa.map_(pa.string(), pa.string())))
    return candidates_and_counts(table, (), ("main",), 100, held_out=True)


def test_rare_leaves_have_queries_and_means_stay_those_of_all_photos() -> None:
    leaves = {"rare": 12, "tiny": 2, "common": 2000}
    table, counts = shop(leaves)
    queries = as_queries(drawn(table, counts, 100))
    asked = Counter(query.leaf for query in queries)
    assert len(queries) == 100
    assert asked["rare"] == LEAF_FLOOR
    assert asked["tiny"] == 2
    # Were precision 1 in rare leaves and 0 in the common one, the mean over all photos would be 14 / 2014.
    right = sum(query.weight for query in queries if query.leaf != "common")
    assert right / sum(query.weight for query in queries) == pytest.approx(14 / 2014)
    assert sum(query.weight for query in queries) == pytest.approx(100)


def test_a_sample_of_everything_weighs_everything_alike() -> None:
    table, counts = shop({"rare": 3, "common": 60})
    assert {query.weight for query in as_queries(drawn(table, counts, 100))} == {1.0}


def test_more_leaves_than_queries_are_drawn_without_a_floor_and_narrowed_all_the_same() -> None:
    table, counts = shop({f"leaf{n}": 20 for n in range(90)})
    assert table.num_rows == 100
    found = drawn(table, counts, 100)
    assert found.num_rows == 100
    assert len(set(found["weight"].to_pylist())) == 1


def test_a_photo_of_two_items_is_one_query_of_the_smaller_id() -> None:
    (query,) = as_queries(candidates(active(photo("b", "1"), photo("a", "1")), (), ("main",), 9, held_out=True))
    assert query.item_id == "a"
    assert query.path == ("shoes", "boots")
    assert query.leaf == "shoes > boots"
    assert query.attributes == {"colour": "red"}
    assert query.image == ("unit", 4)


def test_no_photos_no_candidates() -> None:
    assert candidates(active(), (), ("main",), 9, held_out=True).num_rows == 0
