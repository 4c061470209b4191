"""Permanent slots: what a leaf is, and that no slot ever moves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.store import Store, open_store
from pipelines.tables.spelling import fold_spelling
from pipelines.tables.taxonomy import (
    category_value,
    extend_taxonomy,
    former_leaves,
    leaf_value,
    look_alikes,
    path_of,
    read_names,
    read_taxonomy,
    values_of,
)

PARTS = st.lists(st.text(alphabet=" >\\ab", min_size=1, max_size=4).map(str.strip).filter(bool), max_size=4)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def test_a_leaf_is_the_whole_path_at_any_depth() -> None:
    assert list(values_of(["Shoes", "Boots"])) == [
        ("leaf", "Shoes > Boots"),
        ("level:0", "Shoes"),
        ("level:1", "Shoes > Boots"),
    ]
    assert list(values_of(["Shoes"])) == [("leaf", "Shoes"), ("level:0", "Shoes")]
    assert list(values_of([])) == []
    assert (category_value(["Shoes", "Boots"], 0), category_value(["Shoes"], 1)) == ("Shoes", "")


def test_a_part_that_holds_the_separator_is_not_two_parts() -> None:
    assert leaf_value(["A > B", "C"]) == "A \\> B > C"
    assert leaf_value(["A", "B > C"]) == "A > B \\> C"


@given(PARTS, PARTS)
def test_two_paths_have_two_values(one: list[str], other: list[str]) -> None:
    assert (leaf_value(one) == leaf_value(other)) == (one == other)


def test_slots_are_given_in_order_and_stay(store: Store) -> None:
    assert extend_taxonomy(store, [*values_of(["b"]), *values_of(["a", "c"])]) == 5
    assert extend_taxonomy(store, [*values_of(["a"]), ("attribute:colour", "red")]) == 2
    assert extend_taxonomy(store, values_of(["a"])) == 0
    assert read_taxonomy(store) == {
        "leaves": {"a > c": 0, "b": 1, "a": 2},
        "levels": [{"a": 0, "b": 1}, {"a > c": 0}],
        "attributes": {"colour": {"red": 0}},
    }


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Cafe\u0301", "Caf\u00e9"),  # decomposed, as macOS writes it
        ("  two \t spaces\u00a0 ", "two spaces"),
        ("\ufeffShoes\u200b", "Shoes"),
        ("Rind\u00adleder", "Rindleder"),  # a soft hyphen
        ("\u2066Shoes\u2069 \u200f", "Shoes"),  # what turns the direction of writing
        (
            "\u06a9\u0641\u0634\u200c\u0647\u0627",
            "\u06a9\u0641\u0634\u200c\u0647\u0627",
        ),  # a joiner stays
        ("shoes &amp; Boots", "shoes &amp; Boots"),  # what may matter is not touched
        ("\u2460 ﬁne", "\u2460 ﬁne"),  # compatibility forms are other letters
    ],
)
def test_spelling_is_folded_where_no_reader_sees_it(text: str, folded: str) -> None:
    assert fold_spelling(text) == folded
    assert fold_spelling(folded) == folded


def test_values_of_two_kinds_are_no_look_alikes() -> None:
    values = [("attribute:colour", "Red"), ("attribute:colour", "red"), ("leaf", "RED"), ("level:0", "red")]
    (line,) = look_alikes(values)
    assert line.startswith(
        "attribute values that differ in case or HTML entities alone are kept apart (1), such as 'Red' and"
    )
    assert look_alikes([("leaf", "a"), ("leaf", "b")]) == []


@given(PARTS)
def test_a_value_tells_its_path(path: list[str]) -> None:
    assert path_of(leaf_value(path)) == tuple(path)


def becoming(**names: str) -> Callable[[str, str], str | None]:
    return lambda _, value: names.get(value)


def test_a_renamed_value_keeps_its_slot(store: Store) -> None:
    extend_taxonomy(store, [*values_of(["a"]), *values_of(["b"]), *values_of(["c"])])
    assert extend_taxonomy(store, [*values_of(["z"]), *values_of(["d"])], becoming(b="z")) == 2  # d: leaf and level
    assert read_taxonomy(store)["leaves"] == {"a": 0, "z": 1, "c": 2, "d": 3}
    assert read_taxonomy(store)["levels"] == [{"a": 0, "z": 1, "c": 2, "d": 3}]
    assert read_names(store)["leaves"] == {"b": 1, "a": 0, "z": 1, "c": 2, "d": 3}
    assert next(iter(read_names(store)["leaves"])) == "b"
    assert former_leaves(store) == {"b": "z"}
    steps = len(list(store.list("taxonomy")))
    assert extend_taxonomy(store, values_of(["z"]), becoming(b="z")) == 0
    assert len(list(store.list("taxonomy"))) == steps


def test_merged_values_have_the_oldest_slot_and_leave_the_others(store: Store) -> None:
    extend_taxonomy(store, [*values_of(["a"]), *values_of(["b"]), *values_of(["c"])])
    extend_taxonomy(store, values_of(["m"]), becoming(c="m", b="m"))
    assert read_taxonomy(store)["leaves"] == {"a": 0, "m": 1, "c": 2}
    extend_taxonomy(store, values_of(["a"]), becoming(m="a"))  # a has a slot: m's is left
    assert read_taxonomy(store)["leaves"] == {"a": 0, "m": 1, "c": 2}


def test_a_chain_of_renamings_over_days_leads_to_the_first_slot(store: Store) -> None:
    extend_taxonomy(store, [*values_of(["a"]), *values_of(["b"])])
    extend_taxonomy(store, values_of(["c"]), becoming(a="c"))
    extend_taxonomy(store, values_of(["d"]), becoming(c="d"))
    assert read_taxonomy(store)["leaves"] == {"b": 1, "d": 0}
    assert former_leaves(store) == {"a": "d", "c": "d"}
    # the old name is used again: it is a category of its own, with a slot of its own
    extend_taxonomy(store, values_of(["a"]))
    assert read_taxonomy(store)["leaves"] == {"b": 1, "d": 0, "a": 2}
    assert read_names(store)["leaves"] == {"c": 0, "b": 1, "d": 0, "a": 2}
    # and renamed back
    extend_taxonomy(store, values_of(["c"]), becoming(d="c"))
    assert read_taxonomy(store)["leaves"] == {"b": 1, "c": 0, "a": 2}
    assert former_leaves(store) == {"a": "c", "d": "c"}
