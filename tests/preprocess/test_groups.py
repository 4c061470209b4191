"""Who stands on one side of a split: equal titles, equal photos, equal group_ids, and chains of them."""

import random
from collections import defaultdict

import pyarrow as pa
import pytest

from pipelines.preprocess.groups import (
    COUNTED,
    GROUP,
    KEYED,
    LINKS,
    PHOTO,
    SIZES,
    assign_splits,
    common_keys,
    find_links,
    group_key,
    most_items,
    own_label,
    relabel,
    smallest_of_linked,
    split_of_group,
)


def key(n: int) -> bytes:
    return n.to_bytes(8, "big")


def test_titles_are_equal_whatever_their_case_and_spaces() -> None:
    assert own_label("a", "", "Red  Boot ") == own_label("b", "g", "red boot")
    assert own_label("a", "", "STRASSE") == own_label("b", "", "straße")
    assert own_label("a", "", "red boot") != own_label("a", "", "red boots")
    assert len(own_label("a", "", "x")) == 8


def test_without_a_title_the_group_and_without_a_group_the_item() -> None:
    assert own_label("a", "g", "") == own_label("b", "g", " ") == group_key("g")
    assert own_label("a", "", "") != own_label("b", "", "")
    assert own_label("a", "", "") != own_label("x", "a", "") != own_label("x", "", "a")
    assert group_key("") is None


def links(*pairs: tuple[int, int]) -> pa.Table:
    return pa.Table.from_pylist([{"label": key(a), "other": key(b), "weakness": 0} for a, b in pairs], LINKS)


def numbers(table: pa.Table) -> list[tuple[int, ...]]:
    pairs = zip(table["label"].to_pylist(), table["other"].to_pylist(), strict=True)
    return sorted(tuple(int.from_bytes(value, "big") for value in pair) for pair in pairs)


def smallest(links: pa.Table, most: int = 10**9, sizes: dict[int, int] | None = None) -> pa.Table:
    known = [{"label": key(label), "items": items} for label, items in (sizes or {}).items()]
    return smallest_of_linked(links, pa.Table.from_pylist(known, SIZES), most)[0]


def test_a_key_links_its_labels_with_the_smallest_of_them() -> None:
    rows = [(1, 5), (1, 3), (1, 3), (1, 9), (2, 4), (2, 4), (3, 7), (4, 5), (4, 3), (5, 2**63 + 1), (5, 2**63)]
    table = pa.Table.from_pylist([{"key": key(k), "kind": GROUP, "label": key(label)} for k, label in rows], KEYED)
    found = find_links(table)
    assert found.schema.equals(LINKS)
    assert numbers(found) == [(5, 3), (9, 3), (2**63 + 1, 2**63)]
    assert numbers(find_links(KEYED.empty_table())) == []


def test_a_chain_of_any_length_is_one_group_under_its_smallest_label() -> None:
    # 9-8-7-…-1 in single steps, 20 with 30 alone, and a ring of 40, 41, 42
    chain = [(n + 1, n) for n in range(1, 9)]
    random.Random(1).shuffle(chain)
    found = smallest(links(*chain, (30, 20), (41, 40), (42, 41), (42, 40)))
    assert found.schema.equals(LINKS)
    assert numbers(found) == [(n, 1) for n in range(2, 10)] + [(30, 20), (41, 40), (42, 40)]
    assert numbers(smallest(links())) == []


def test_any_graph_is_joined_as_one_link_after_the_other_would_join_it() -> None:
    draw = random.Random(2)
    pairs = [(max(a, b), min(a, b)) for a, b in (draw.sample(range(1000), 2) for _ in range(600))]
    group = {n: {n} for n in range(1000)}
    for a, b in pairs:
        joined = group[a] | group[b]
        group |= dict.fromkeys(joined, joined)
    expected = [(n, min(members)) for n, members in sorted(group.items()) if n != min(members)]
    assert numbers(smallest(links(*pairs))) == expected
    sizes = defaultdict(int)
    for members in group.values():
        sizes[min(members)] += 1
    assert max(sizes.values()) / 1000 > 0.2  # long chains were among them


def test_a_group_that_would_be_too_large_is_joined_by_its_strongest_links() -> None:
    # 1 to 6 by three links of equal photos, joined by two of look-alikes; label 4 is that of 3 items
    strong, weak = [(2, 1), (4, 3), (6, 5)], [(3, 2), (5, 4)]
    rows = [(*pair, 2) for pair in strong] + [(*pair, 5) for pair in weak]
    table = pa.Table.from_pylist([{"label": key(a), "other": key(b), "weakness": w} for a, b, w in rows], LINKS)
    assert numbers(smallest(table, 8, {4: 3})) == [(n, 1) for n in range(2, 7)]
    sizes = pa.Table.from_pylist([{"label": key(4), "items": 3}], SIZES)
    found, refused = smallest_of_linked(table, sizes, 6)  # 2 + 4 items are 6, and 2 more are too many
    assert (numbers(found), refused) == ([(2, 1), (3, 1), (4, 1), (6, 5)], 1)


def test_a_key_that_too_many_items_have_is_common() -> None:
    rows = [(7, PHOTO, item) for item in range(4)] * 2 + [(8, PHOTO, item) for item in range(3)]
    table = pa.Table.from_pylist(
        [{"key": key(k), "kind": kind, "item": key(i), "leaf": key(i % 3)} for k, kind, i in rows], COUNTED
    )
    assert common_keys(table, 3).to_pylist() == [{"key": key(7), "kind": PHOTO, "items": 4, "leaves": 3}]
    assert (most_items(0.02, 44_000), most_items(0.02, 100)) == (880, 10)


def test_labels_without_a_link_stay() -> None:
    labels = pa.chunked_array([pa.array([key(1), key(2)], pa.binary(8)), pa.array([key(3)], pa.binary(8))])
    assert relabel(labels, links((2, 1))).to_pylist() == [key(1), key(1), key(3)]
    assert relabel(labels, links()).to_pylist() == [key(1), key(2), key(3)]


def test_the_split_of_a_group_is_by_its_label_and_the_shares_are_kept() -> None:
    splits = [split_of_group(key(n), 0.2, 0.1) for n in range(5000)]
    assert splits == [split_of_group(key(n), 0.2, 0.1) for n in range(5000)]
    assert splits.count("val") / 5000 == pytest.approx(0.2, abs=0.02)
    assert splits.count("test") / 5000 == pytest.approx(0.1, abs=0.02)
    assert {split_of_group(key(n), 0, 0) for n in range(50)} == {"train"}
    assert {split_of_group(key(n), 0, 1) for n in range(50)} == {"test"}


def assigned(groups: dict[str, int], known: dict[str, str]) -> tuple[dict[str, str], list[bool]]:
    table = pa.table({"item_id": list(groups), "label": pa.array([key(g) for g in groups.values()], pa.binary(8))})
    held = pa.table(
        {"item_id": pa.array(list(known), pa.string()), "split": pa.array(list(known.values()), pa.string())}
    )
    result, new = assign_splits(table, held, 0.0, 1.0)  # whoever follows nobody is tested
    return dict(zip(result["item_id"].to_pylist(), result["split"].to_pylist(), strict=True)), new.tolist()


def test_new_items_follow_their_group_and_known_ones_stay() -> None:
    splits, new = assigned({"a": 1, "b": 1, "c": 2}, {"a": "val"})
    assert splits == {"a": "val", "b": "val", "c": "test"}
    assert new == [False, True, True]


def test_groups_that_met_later_stay_apart_and_new_items_go_where_a_model_may_have_seen_them() -> None:
    splits, _ = assigned({"a": 1, "b": 1, "c": 1}, {"a": "test", "b": "train"})
    assert splits == {"a": "test", "b": "train", "c": "train"}
