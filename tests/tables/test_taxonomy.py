"""Permanent slots: what a leaf is, and that no slot ever moves."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.store import Store, open_store
from pipelines.tables.spelling import fold_spelling
from pipelines.tables.taxonomy import (
    category_value,
    extend_taxonomy,
    leaf_value,
    look_alikes,
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
