"""Who stands on one side of a split: equal titles, equal photos, and chains of both."""

import pyarrow as pa
import pytest

from pipelines.preprocess.grouping import LABELS, assign_splits, split_of_group, spread_label, title_key


def key(n: int) -> bytes:
    return n.to_bytes(8, "big")


def test_titles_are_equal_whatever_their_case_and_spaces() -> None:
    assert title_key("a", "", "Red  Boot ") == title_key("b", "g", "red boot")
    assert title_key("a", "", "STRASSE") == title_key("b", "", "straße")
    assert title_key("a", "", "red boot") != title_key("a", "", "red boots")
    assert len(title_key("a", "", "x")) == 8


def test_without_a_title_the_group_and_without_a_group_the_item() -> None:
    assert title_key("a", "g", "") == title_key("b", "g", " ")
    assert title_key("a", "", "") != title_key("b", "", "")
    assert title_key("a", "", "") != title_key("x", "a", "") != title_key("x", "", "a")


def rows(*links: tuple[str, int, int | None]) -> pa.Table:
    """(item, title, photo) rows; the label starts as the title's."""
    return pa.Table.from_pylist(
        [
            {"item_id": i, "title_key": key(t), "digest": None if d is None else bytes([d]) * 32, "label": key(t)}
            for i, t, d in links
        ],
        LABELS,
    )


def labels(table: pa.Table) -> list[int]:
    return [int.from_bytes(label, "big") for label in table["label"].to_pylist()]


def test_the_smallest_label_spreads_along_a_key() -> None:
    table = rows(("a", 5, 1), ("b", 3, 1), ("c", 4, 2), ("d", 2, None), ("e", 9, None))
    assert labels(spread_label(table, "digest")) == [3, 3, 4, 2, 9]  # rows without a photo keep theirs
    assert spread_label(table.slice(0, 0), "digest").num_rows == 0


def test_a_chain_of_titles_and_photos_is_one_group_after_two_turns() -> None:
    # a -photo 1- b -title 7- c -photo 2- d -title 8- e
    table = rows(("a", 1, 1), ("b", 7, 1), ("c", 7, 2), ("d", 8, 2), ("e", 8, 3))
    for turn in ("digest", "title_key", "digest", "title_key"):
        table = spread_label(table, turn)
    assert labels(table) == [1] * 5


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
