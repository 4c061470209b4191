from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.catalogue.mapping import Item, Photo, RejectError, map_media, map_row, needed_columns
from pipelines.config import CatalogueSection, Media

ROW = {"sku": "a1", "image": "a.jpg", "path": "Shoes > Boots"}


def section(**more: Any) -> CatalogueSection:
    columns = {"item_id": "sku", "photos": "image", "category": "path", **more.pop("columns", {})}
    return CatalogueSection.model_validate({"snapshot": "feed.csv", "columns": columns, **more})


def mapped(row: dict[str, Any], **more: Any) -> Item:
    return map_row({**ROW, **row}, section(**more), default_time=5.0)


def reject(row: dict[str, Any], **more: Any) -> tuple[str, str]:
    with pytest.raises(RejectError) as caught:
        mapped(row, **more)
    return caught.value.code, caught.value.detail


def test_a_plain_row() -> None:
    assert mapped({}) == Item("a1", 5.0, category=("Shoes", "Boots"), photos=(Photo("a.jpg", "main"),))


def test_every_column_has_its_place() -> None:
    columns = {
        "title": "name", "group_id": "parent", "price": "eur", "updated_at": "at", "role": "kind", "split": "part",
        "attributes": {"colour": "farbe"}, "signals": {"sales": "sold", "rating": "stars"},
    }  # fmt: skip
    row = {
        "name": " Boot ", "parent": "g", "eur": "12.50", "at": "2026-01-02T03:04:05Z", "kind": "side",
        "part": "Training", "farbe": "rot", "sold": 3, "stars": "",
    }  # fmt: skip
    assert mapped(row, columns=columns, split_names={"Training": "train"}) == Item(
        item_id="a1",
        updated_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp(),
        group_id="g",
        category=("Shoes", "Boots"),
        title="Boot",
        price=12.5,
        attributes={"colour": "rot"},
        signals={"sales": 3.0},
        photos=(Photo("a.jpg", "side", "train"),),
    )


@pytest.mark.parametrize(
    ("value", "item_id"), [(12, "12"), (12.0, "12"), (" 0012 ", "0012"), ("Ä/1", "Ä/1"), (Decimal("7"), "7")]
)
def test_item_ids_of_any_type_become_text(value: Any, item_id: str) -> None:
    assert mapped({"sku": value}).item_id == item_id


@pytest.mark.parametrize(
    ("columns", "row", "path"),
    [
        ({}, {"path": "A > B>C"}, ("A", "B", "C")),
        ({}, {"path": "A >  > C"}, ("A",)),  # a hole ends the path
        ({}, {"path": ["A", "B"]}, ("A", "B")),
        ({"category_separator": "/"}, {"path": "A/B > C"}, ("A", "B > C")),
        ({"category_separator": ""}, {"path": "A > B"}, ("A > B",)),
        ({"category": ["l1", "l2", "l3"]}, {"l1": "A", "l2": "B", "l3": ""}, ("A", "B")),
        ({"category": ["l1", "l2"]}, {"l1": "A"}, ("A",)),
    ],
)
def test_categories(columns: dict[str, Any], row: dict[str, Any], path: tuple[str, ...]) -> None:
    assert mapped(row, columns=columns).category == path


@pytest.mark.parametrize(
    ("columns", "row", "uris"),
    [
        ({"photo_separator": "|"}, {"image": "a.jpg| b.jpg||a.jpg"}, ["a.jpg", "b.jpg"]),
        ({}, {"image": "a|b.jpg"}, ["a|b.jpg"]),
        ({}, {"image": ["a.jpg", None, "b.jpg"]}, ["a.jpg", "b.jpg"]),
        ({"photos": ["i1", "i2", "i3"]}, {"i1": "a.jpg", "i2": "", "i3": "c.jpg"}, ["a.jpg", "c.jpg"]),
        ({"photos": ["i1", "i2"], "photo_separator": ";"}, {"i1": "a;b", "i2": "c"}, ["a", "b", "c"]),
    ],
)
def test_photos(columns: dict[str, Any], row: dict[str, Any], uris: list[str]) -> None:
    assert [photo.image_uri for photo in mapped(row, columns=columns).photos] == uris


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 5.0), (None, 5.0), ("1970-01-02", 86400.0), ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01 00:00:01.5", 1.5), ("1767225600", 1767225600.0), (1767225600.25, 1767225600.25),
        (datetime(1970, 1, 2, tzinfo=UTC), 86400.0), (datetime(1970, 1, 2), 86400.0), (date(1970, 1, 2), 86400.0),  # noqa: DTZ001
        ("19700102", 86400.0), (1700000000.1234564, 1700000000.123456),
    ],
)  # fmt: skip
def test_times(value: Any, seconds: float) -> None:
    assert mapped({"at": value}, columns={"updated_at": "at"}).updated_at == seconds


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("31/02/2026", "'31/02/2026' is neither ISO 8601 nor seconds since 1970"),
        ("yesterday", "'yesterday' is neither ISO 8601 nor seconds since 1970"),
        (1767225600000, "'1767225600000' lies outside 1970 to 2200; numbers are seconds since 1970"),
        ("0001-01-01", "'0001-01-01' lies outside 1970 to 2200; numbers are seconds since 1970"),
        (datetime(1, 1, 1, tzinfo=UTC), "'0001-01-01 00:00:00+00:00' lies outside 1970 to 2200; numbers are seconds"),
        ("9" * 400, f"'{'9' * 40}' lies outside 1970 to 2200; numbers are seconds since 1970"),
    ],
)
def test_times_that_are_none(value: Any, detail: str) -> None:
    code, said = reject({"at": value}, columns={"updated_at": "at"})
    assert code == "bad_date"
    assert said.startswith(detail)


@pytest.mark.parametrize(
    ("row", "more", "code", "detail"),
    [
        ({"sku": "  "}, {}, "no_item_id", "the item id is empty"),
        ({"sku": "a\x07"}, {}, "bad_item_id", r"'a\x07' is too long or holds control characters"),
        ({"sku": "x" * 513}, {}, "bad_item_id", f"'{'x' * 40}' is too long or holds control characters"),
        ({"path": " > Boots"}, {}, "no_category", "the category is empty"),
        ({"path": ">".join("abcdefghi")}, {}, "deep_category", "9 levels, the limit is 8"),
        ({"image": ""}, {}, "no_photo", "the row names no photo"),
        ({"eur": "12,50"}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds '12,50'"),
        ({"eur": "inf"}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds 'inf'"),
        ({"eur": float("nan")}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds 'nan'"),
        ({"n": "many"}, {"columns": {"signals": {"sales": "n"}}}, "bad_number", "column 'n' holds 'many'"),
        ({"part": "dev"}, {"columns": {"split": "part"}}, "bad_split",
         "'dev' is not in catalogue.split_names (train, val, test)"),
    ],
)  # fmt: skip
def test_rejects_name_the_value(row: dict[str, Any], more: dict[str, Any], code: str, detail: str) -> None:
    assert reject(row, **more) == (code, detail)


def test_a_reject_says_which_item_it_was() -> None:
    with pytest.raises(RejectError) as caught:
        mapped({"path": ""})
    assert caught.value.item_id == "a1"


@pytest.mark.parametrize("word", ["1", "TRUE", "yes", "Delete", "d", True])
def test_a_deleted_row_needs_its_id_only(word: Any) -> None:
    item = map_row({"sku": "a1", "gone": word}, section(columns={"deleted": "gone"}), 5.0)
    assert item == Item("a1", 5.0, deleted=True)


@pytest.mark.parametrize("word", ["", "0", "no", "false", None, False])
def test_a_row_that_is_not_deleted(word: Any) -> None:
    assert not mapped({"gone": word}, columns={"deleted": "gone"}).deleted


MEDIA = {"path": "m.csv", "columns": {"item_id": "sku", "photo": "file", "box": ["l", "t", "r", "b"]}}


def media(row: dict[str, Any], **columns: str) -> tuple[str, Photo]:
    table = Media.model_validate({**MEDIA, "columns": {**MEDIA["columns"], **columns}})  # type: ignore[dict-item]
    return map_media({"sku": "a1", "file": "s.jpg", **row}, table, {"query": "test"})


def test_a_row_of_the_media_table() -> None:
    assert media({}) == ("a1", Photo("s.jpg", "street"))
    row = {"l": "1", "t": "2.5", "r": "30", "b": "40", "kind": "worn", "part": "query"}
    assert media(row, role="kind", split="part") == ("a1", Photo("s.jpg", "worn", "test", (1.0, 2.5, 30.0, 40.0)))


@pytest.mark.parametrize(
    ("row", "code", "detail"),
    [
        ({"file": " "}, "no_photo", "column 'file' is empty"),
        ({"l": "1"}, "bad_box", "a box is four numbers, not [1.0, None, None, None]"),
        ({"l": "9", "t": "0", "r": "3", "b": "4"}, "bad_box", "[9.0, 0.0, 3.0, 4.0] is no box: left < right and top"),
        ({"l": "-1", "t": "0", "r": "3", "b": "4"}, "bad_box", "[-1.0, 0.0, 3.0, 4.0] is no box"),
    ],
)
def test_rejects_of_the_media_table(row: dict[str, Any], code: str, detail: str) -> None:
    with pytest.raises(RejectError) as caught:
        media(row)
    assert caught.value.code == code
    assert caught.value.detail.startswith(detail)


def test_the_columns_that_a_feed_needs_and_the_keys_that_name_them() -> None:
    columns = section(
        columns={"photos": ["i1", "i2"], "attributes": {"colour": "farbe"}, "photo_separator": "|"}
    ).columns
    assert needed_columns(columns) == {
        "sku": "item_id", "i1": "photos", "i2": "photos", "path": "category", "farbe": "attributes.colour"
    }  # fmt: skip
