"""A row that is rejected leaves its item as it was."""

from typing import Any

import pytest

from tests.catalogue.rules.days import Days, row, rows

BAD_CELLS: dict[str, dict[str, Any]] = {
    "bad_number": {"eur": "12,50"},
    "bad_date": {"at": "20.11.2026"},
    "future_date": {"at": "2126-11-12"},
    "no_category": {"path": ""},
    "no_photo": {"image": ""},
    "bad_deleted": {"gone": "Vielleicht"},
    "deep_category": {"path": ">".join("abcdefghi")},
}


@pytest.mark.parametrize("code", BAD_CELLS)
def test_a_rejected_row_keeps_the_items_last_state_until_it_is_mended(days: Days, code: str) -> None:
    days.read(*rows(6))
    before = [one for one in days.shop.table("items") if one["item_id"] == "a2"]
    bad = days.read(*[row(n, **(BAD_CELLS[code] if n == 2 else {})) for n in range(6)])
    assert bad["rejects"] == {code: 1}
    assert [one for one in days.shop.table("items") if one["item_id"] == "a2"] == before
    assert bad["notes"][2] == "items that keep the state they had, for their rows were rejected: 1, such as 'a2'"
    days.read(*[row(n, name=f"Item {n}, mended") for n in range(6)])
    assert {one["title"] for one in days.shop.table("items")} == {f"Item {n}, mended" for n in range(6)}


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (lambda text: text.replace("a2,p2.jpg,Shoes,Item 2,", 'a2,p2.jpg,Shoes,"Item 2,'), True),  # a lost quote
        (lambda text: text.replace("a2,p2.jpg,Shoes,", "a2,p2.jpg,"), True),  # a lost cell
        (lambda text: text.replace("Item 2", "Item, 2"), True),  # a cell too many
        (lambda text: text.replace("Item 2", "Item \udce9"), True),  # bytes of another encoding
        (lambda text: text.replace("a2,p2.jpg", "a2\x07,p2.jpg"), False),
        (lambda text: text.replace("a2,p2.jpg", ",p2.jpg"), False),
    ],
)
def test_a_damaged_row_keeps_its_items_state_where_its_id_can_be_read(days: Days, damage: Any, kept: bool) -> None:
    days.read(*rows(6))
    text = (days.shop.root / "feed.csv").read_text()
    (days.shop.root / "feed.csv").write_bytes(damage(text).encode("utf-8", "surrogateescape"))
    manifest = days.read()
    assert manifest["counts"]["rejected"] == 1
    assert (days.ids() == "a0 a1 a2 a3 a4 a5") == kept
    said = "items that keep the state they had" if kept else "rejected rows of the snapshot that do not say whose they"
    assert any(note.startswith(said) for note in manifest["notes"])
    (days.shop.root / "feed.csv").write_text(text)
    days.read()
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_a_word_of_neither_list_is_told_as_the_cell_has_it(days: Days) -> None:
    days.read(*rows(5), row(5, gone="In Stock"))
    [reject] = days.shop.table("rejects")
    assert reject["detail"].startswith("'In Stock' is neither in catalogue.deleted_words nor in")
