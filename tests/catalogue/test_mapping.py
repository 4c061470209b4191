import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from pipelines.catalogue.mapping import Item, Mapper, Photo
from pipelines.catalogue.values import RejectError
from pipelines.config import Media
from pipelines.config.words import NO_VALUE
from tests.catalogue.mapped import mapped, reject, remarks, section


def test_a_plain_row() -> None:
    assert mapped({}) == Item("a1", 5.0, category=("Shoes", "Boots"), photos=(Photo("a.jpg", ""),))


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
    ("value", "item_id"),
    [
        (12, "12"), (12.0, "12"), (" 0012 ", "0012"), ("Ä/1", "Ä/1"), (Decimal("7"), "7"), (Decimal("7.00"), "7"),
        (b"a3", "a3"), ("Größe".encode(), "Größe"), (4006381333931.0, "4006381333931"), (12.5, "12.5"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"), ("Gro\u0308ße", "Größe"),
        (["a1"], "a1"), ("12345.0", "12345.0"),
    ],
)  # fmt: skip
def test_item_ids_of_any_type_become_text(value: Any, item_id: str) -> None:
    assert mapped({"sku": value}).item_id == item_id


@pytest.mark.parametrize(
    ("columns", "row", "uris"),
    [
        ({"photo_separator": "|"}, {"image": "a.jpg| b.jpg||a.jpg"}, ["a.jpg", "b.jpg"]),
        ({}, {"image": "a|b.jpg"}, ["a|b.jpg"]),
        ({}, {"image": ["a.jpg", None, "b.jpg"]}, ["a.jpg", "b.jpg"]),
        ({}, {"image": ["a.jpg", "nan", float("nan"), b"b.jpg"]}, ["a.jpg", "b.jpg"]),
        ({}, {"image": "['a.jpg', None, 'b.jpg']"}, ["a.jpg", "b.jpg"]),
        ({}, {"image": '["a.jpg","b.jpg"]'}, ["a.jpg", "b.jpg"]),
        ({"photos": ["i1", "i2"]}, {"i1": "NULL", "i2": "b.jpg"}, ["b.jpg"]),
        ({"photos": ["i1", "i2", "i3"]}, {"i1": "a.jpg", "i2": "", "i3": "c.jpg"}, ["a.jpg", "c.jpg"]),
        ({"photos": ["i1", "i2"], "photo_separator": ";"}, {"i1": "a;b", "i2": "c"}, ["a", "b", "c"]),
    ],
)
def test_photos(columns: dict[str, Any], row: dict[str, Any], uris: list[str]) -> None:
    assert [photo.image_uri for photo in mapped(row, columns=columns).photos] == uris


@pytest.mark.parametrize(
    ("row", "more", "code", "detail"),
    [
        ({"sku": "  "}, {}, "no_item_id", "the item id is empty"),
        ({"sku": "a\x07"}, {}, "bad_item_id", r"'a\x07' is too long or holds control characters"),
        ({"sku": "x" * 513}, {}, "bad_item_id", f"'{'x' * 40}' is too long or holds control characters"),
        ({"path": " > Boots"}, {}, "no_category", "the category is empty"),
        ({"path": ">".join("abcdefghi")}, {}, "deep_category", "9 levels, the limit is 8"),
        ({"image": ""}, {}, "no_photo", "the row names no photo"),
        ({"image": "[]"}, {}, "no_photo", "the row names no photo"),
        ({"eur": "12,50"}, {"columns": {"price": "eur"}}, "bad_number",
         "column 'eur' holds '12,50'; catalogue.decimal_mark, if it is not set, is '.': is it ',' in this feed?"),
        ({"eur": "12.50 €"}, {"columns": {"price": "eur"}, "decimal_mark": ","}, "bad_number",
         "column 'eur' holds '12.50 €'; catalogue.decimal_mark = ',': is it '.' in this feed?"),
        ({"eur": "1,299"}, {"columns": {"price": "eur"}}, "bad_number",
         "column 'eur' holds '1,299', which is another number with '.' before decimals than with ','; set "
         "catalogue.decimal_mark"),
        ({"eur": True}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds 'True'"),
        ({"n": "5 USD"}, {"columns": {"signals": {"sales": "n"}}}, "bad_number", "column 'n' holds '5 USD'"),
        ({"eur": "inf"}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds 'inf'"),
        ({"eur": float("-inf")}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds '-inf'"),
        ({"eur": "1_000"}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds '1_000'"),
        ({"eur": Decimal("Infinity")}, {"columns": {"price": "eur"}}, "bad_number", "column 'eur' holds 'Infinity'"),
        ({"sku": "NULL"}, {}, "no_item_id", "the item id is empty: 'NULL' means no value"),
        ({"sku": float("nan")}, {}, "no_item_id", "the item id is empty"),
        ({"sku": 1.2345678901234567e18}, {}, "bad_item_id",
         "1.2345678901234568e+18 has lost digits as a floating-point number; write ids as text"),
        ({"sku": True}, {}, "bad_item_id", "a bool is no id"),
        ({"sku": "4.00638e+12"}, {}, "bad_item_id", "'4.00638e+12' was rounded by a spreadsheet; export ids as text"),
        ({"sku": "4,00638E+12"}, {}, "bad_item_id", "'4,00638E+12' was rounded by a spreadsheet; export ids as text"),
        ({"sku": b"\xff"}, {}, "bad_utf8", "column 'sku' holds bytes that are not UTF-8"),
        ({"sku": {"id": 1}}, {}, "bad_text", "column 'sku' holds an object with fields such as 'sku.id', not a text"),
        ({"name": ["a", "b"]}, {"columns": {"title": "name"}}, "bad_text", "column 'name' holds a list, not a text"),
        ({"name": b"\xff"}, {"columns": {"title": "name"}}, "bad_utf8", "column 'name' holds bytes that are not UTF-8"),
        ({"path": "None"}, {}, "no_category", "the category is empty"),
        ({"gone": "x"}, {"columns": {"deleted": "gone"}}, "bad_deleted",
         "'x' is neither in catalogue.deleted_words nor in catalogue.not_deleted_words"),
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


@pytest.mark.parametrize("word", ["1", "TRUE", "yes", "Delete", "d", True, 1, 1.0, "1.0"])
def test_a_deleted_row_needs_its_id_only(word: Any) -> None:
    item = Mapper(section(columns={"deleted": "gone"})).item({"sku": "a1", "gone": word}, 5.0)
    assert item == Item("a1", 5.0, deleted=True)


@pytest.mark.parametrize("word", ["", "0", "no", "false", None, False, 0, 0.0, "0.0", "update", "NULL", float("nan")])
def test_a_row_that_is_not_deleted(word: Any) -> None:
    assert not mapped({"gone": word}, columns={"deleted": "gone"}).deleted


@pytest.mark.parametrize("word", ["x", "ja", "removed", 2, "2026-01-01", "maybe"])
def test_a_word_that_says_neither_is_a_reject_until_the_config_knows_it(word: Any) -> None:
    columns = {"deleted": "gone"}
    assert reject({"gone": word}, columns=columns)[0] == "bad_deleted"
    assert mapped({"gone": word}, columns=columns, deleted_words=[str(word).upper()]).deleted
    assert not mapped({"gone": word}, columns=columns, not_deleted_words=[f" {word} "]).deleted


@pytest.mark.parametrize(
    ("words", "cell", "is_gone"),
    [
        ((["*"], []), "2025-11-01", True),  # deleted_at
        ((["*"], []), None, False),
        ((["*"], []), "0000-00-00 00:00:00", False),
        ((["*"], ["0"]), 0, False),
        ((["*"], ["0"]), 1732800000, True),
        (([""], ["*"]), None, True),  # published_at
        (([""], ["*"]), "NULL", True),
        (([""], ["*"]), "2025-11-01", False),
        ((["draft"], ["*"]), "Draft", True),
        ((["draft"], ["*"]), "new in", False),
        ((["0", "no"], ["1", "yes"]), False, None),  # neither: a reject
        ((["0", "no"], ["1", "yes"]), 0, True),
    ],
)
def test_any_word_or_none_may_mean_that_an_item_is_gone(words: Any, cell: Any, is_gone: bool | None) -> None:
    more = {"columns": {"deleted": "gone"}, "deleted_words": words[0], "not_deleted_words": words[1]}
    if is_gone is None:
        assert reject({"gone": cell}, **more)[0] == "bad_deleted"
    else:
        assert mapped({"gone": cell}, **more).deleted == is_gone


def test_a_word_cannot_mean_both() -> None:
    with pytest.raises(ValidationError, match="the word 'ja' stands in deleted_words and in not_deleted_words; keep"):
        section(deleted_words=["Ja"], not_deleted_words=["nein", "ja"])


@pytest.mark.parametrize(("deleted", "active", "is_gone"), [(0, 1, False), (1, 1, True), (0, 0, True), (0, "", False)])
def test_each_column_may_have_words_of_its_own(deleted: Any, active: Any, is_gone: bool) -> None:
    words = {"deleted_words": {"active": ["0"]}, "not_deleted_words": {"active": ["1"]}}
    item = mapped({"gone": deleted, "active": active}, columns={"deleted": ["gone", "active"]}, **words)
    assert item.deleted == is_gone


def test_words_of_a_column_that_says_nothing_of_it() -> None:
    with pytest.raises(
        ValidationError, match=r"deleted_words has words of 'aktive', which columns\.deleted does not name"
    ):
        section(columns={"deleted": ["active"]}, deleted_words={"aktive": ["0"]})
    with pytest.raises(ValidationError, match="the word '0' stands in deleted_words and in not_deleted_words; keep"):
        section(columns={"deleted": ["active"]}, deleted_words={"active": ["0"]})


def test_an_encoding_that_there_is_not() -> None:
    with pytest.raises(ValidationError, match="is no encoding of text; write 'utf-8', 'cp1252'"):
        section(encoding="ansi-1252")


TEXTS = {
    "title": "name", "group_id": "parent", "price": "eur", "updated_at": "at", "role": "kind", "split": "part",
    "deleted": "gone", "attributes": {"colour": "farbe"}, "signals": {"sales": "sold"},
}  # fmt: skip


@pytest.mark.parametrize(
    "value", [*NO_VALUE, f"  {NO_VALUE[0]} ", None, "", math.nan, Decimal("NaN"), [], [None], b"NULL"]
)
def test_what_exporters_write_for_no_value_is_none_in_every_column(value: Any) -> None:
    row = dict.fromkeys(("name", "parent", "eur", "at", "kind", "part", "gone", "farbe", "sold"), value)
    assert mapped(row, columns=TEXTS) == Item("a1", 5.0, category=("Shoes", "Boots"), photos=(Photo("a.jpg", ""),))


MARKS = "\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"


@pytest.mark.parametrize("mark", MARKS)
def test_what_no_reader_sees_at_the_ends_of_cells_is_no_part_of_them(mark: str) -> None:
    def around(text: str) -> str:
        return f"{mark} {text}\u00a0{mark}"

    row = {
        "sku": around("a1"), "image": around("a.jpg"), "path": f"{around('Shoes')}>{around('Boots')}",
        "name": around("Boot"), "parent": around("g"), "eur": around("12.50"), "at": around("2026-01-02"),
        "kind": around("side"), "part": around("train"), "gone": around("no"), "farbe": around("rot"), "sold": mark,
    }  # fmt: skip
    assert mapped(row, columns=TEXTS) == Item(
        "a1", datetime(2026, 1, 2, tzinfo=UTC).timestamp(), group_id="g", category=("Shoes", "Boots"), title="Boot",
        price=12.5, attributes={"colour": "rot"}, photos=(Photo("a.jpg", "side", "train"),),
    )  # fmt: skip
    assert reject({"sku": mark}) == ("no_item_id", "the item id is empty")
    assert [photo.image_uri for photo in mapped({"image": around('["a.jpg"]')}).photos] == ["a.jpg"]


@pytest.mark.parametrize("mark", MARKS)
def test_ids_numbers_and_dates_hold_nothing_that_no_reader_sees(mark: str) -> None:
    row = {"sku": f"a{mark}1", "parent": f"g{mark}1", "eur": f"\u20ac{mark}1,299.50", "at": f"28{mark}/11{mark}/2026"}
    item = mapped(row, columns=TEXTS, date_format="%d/%m/%Y")
    assert (item.item_id, item.group_id, item.price) == ("a1", "g1", 1299.5)
    assert datetime.fromtimestamp(item.updated_at, UTC).date().isoformat() == "2026-11-28"


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
def test_joiners_are_letters_neighbours_and_stay(joiner: str) -> None:
    item = mapped({"sku": f"\u06a9{joiner}\u0647", "name": f"\u06a9{joiner}"}, columns=TEXTS)
    assert (item.item_id, item.title) == (f"\u06a9{joiner}\u0647", f"\u06a9{joiner}")


@pytest.mark.parametrize("word", ["none", "Nan", "NAN", "na", "Null", "nil", "Unknown", "0", "--", "Noneth", "no"])
def test_words_that_may_mean_something_stay(word: str) -> None:
    item = mapped({"name": word, "parent": word, "farbe": word, "path": f"Bread > {word}"}, columns=TEXTS)
    assert (item.title, item.group_id, item.attributes["colour"], item.category) == (word, word, word, ("Bread", word))


def test_which_words_mean_no_value_is_a_setting() -> None:
    row = {"name": "None", "parent": "n.a."}
    item = mapped(row, columns=TEXTS, no_value=[" n.a. "])
    assert (item.title, item.group_id) == ("None", "")


def test_words_that_were_taken_for_no_value_are_counted_and_doubtful_ones_too() -> None:
    row = {"name": "None", "parent": "nil", "farbe": "NULL", "eur": "NULL"}
    assert remarks(row, columns=TEXTS) == {"no_value:None": 1, "no_value:NULL": 2, "doubtful:nil": 1}
    assert remarks({"farbe": "none"}, columns=TEXTS) == {}  # a pattern may be none


@pytest.mark.parametrize("word", ["#SPILL!", "#BEZUG!", "#VALEUR!", "#¿NOMBRE?", "#RIF!", "#NÚM!", "#WAARDE!"])
def test_errors_of_spreadsheets_are_no_value(word: str) -> None:
    assert mapped({"name": word, "farbe": word}, columns=TEXTS).title == ""
    assert remarks({"name": word}, columns=TEXTS) == {f"no_value:{word}": 1}


@pytest.mark.parametrize(
    "word",
    [
        "#ARVO!",
        "#NIMI?",
        "#",
        "#####",
        "Err:540",
        "Err :502",
        "(null)",
        "<null>",
        "(blank)",
        "--",
        "\u2013",
        "?",
        "???",
    ],
)
def test_what_hardly_is_a_value_is_one_and_is_counted(word: str) -> None:
    row = {"name": word, "parent": word, "farbe": word}
    assert mapped(row, columns=TEXTS).title == word
    assert remarks(row, columns=TEXTS) == {"looks_empty": 3}


@pytest.mark.parametrize(
    "word", ["#FF0000", "#1 Dad!", "#Shoes", "Who?", "C#", "1--2", "(Set of 2)", "Err", "{a.jpg}", "-5"]
)
def test_what_may_well_be_a_value_is_not(word: str) -> None:
    assert remarks({"name": word, "farbe": word}, columns=TEXTS) == {}


def test_numbers_are_written_as_the_config_says() -> None:
    columns = {"price": "eur", "signals": {"sales": "n"}}
    item = mapped({"eur": "1.299,00 €", "n": "1.299"}, columns=columns, decimal_mark=",")
    assert (item.price, item.signals) == (1299.0, {"sales": 1299.0})
    native = mapped({"eur": Decimal("12.50"), "n": 1.299}, columns=columns, decimal_mark=",")
    assert (native.price, native.signals) == (12.5, {"sales": 1.299})  # of JSON and Parquet, which have numbers
    assert mapped({"eur": "0.99 USD", "n": "1,234,567"}, columns=columns).price == 0.99


@pytest.mark.parametrize(
    ("prefix", "cell", "uri"),
    [
        ("/", "/a/b/x.jpg", "a/b/x.jpg"), ("/", "a/b/x.jpg", "a/b/x.jpg"), (None, "/a/x.jpg", "/a/x.jpg"),
        ("https://cdn.shop/media/", "https://cdn.shop/media/a.jpg", "a.jpg"),
        ("https://cdn.shop/media/", "https://elsewhere/a.jpg", "https://elsewhere/a.jpg"),
        (None, "shoes\\red\\x.jpg", "shoes/red/x.jpg"), ("D:\\media\\", "D:\\media\\a\\x.jpg", "a/x.jpg"),
        ("D:/media/", "D:\\media\\x.jpg", "x.jpg"), ("\\\\nas\\shop\\", "\\\\nas\\shop\\x.jpg", "x.jpg"),
        ("smb://nas/shop/", "\\\\nas\\shop\\x.jpg", "x.jpg"), ("//nas/shop/", "\\\\nas\\shop\\x.jpg", "x.jpg"),
        (None, "\\\\nas\\shop\\x.jpg", "smb://nas/shop/x.jpg"), (None, "//cdn.shop/x.jpg", "//cdn.shop/x.jpg"),
        ("D:\\", "\\\\nas\\shop\\x.jpg", "smb://nas/shop/x.jpg"), (None, "\\a\\x.jpg", "/a/x.jpg"),
    ],
)  # fmt: skip
def test_what_a_shop_writes_before_paths_is_left_out(prefix: str | None, cell: str, uri: str) -> None:
    assert [photo.image_uri for photo in mapped({"image": cell}, photo_prefix=prefix).photos] == [uri]
    table = Media.model_validate({"path": "m.csv", "columns": {"item_id": "sku", "photo": "file"}})
    assert Mapper(section(photo_prefix=prefix)).media({"sku": "a1", "file": cell}, table)[1].image_uri == uri


@pytest.mark.parametrize(
    ("pattern", "cell", "uri"),
    [
        ("{}.jpg", "A1", "A1.jpg"), ("photos/{}_1.png", " A 1 ", "photos/A 1_1.png"),
        ("{}/main.webp", '"A1"', "A1/main.webp"),
        ("https://cdn.shop/{}.jpg", "A1", "https://cdn.shop/A1.jpg"), ("{}.jpg", "/m/A1", "A1.jpg"),
    ],
)  # fmt: skip
def test_a_pattern_makes_paths_of_what_cells_hold(pattern: str, cell: str, uri: str) -> None:
    keys = {"photo_pattern": pattern, "photo_prefix": "/m/"}
    assert [photo.image_uri for photo in mapped({"image": cell}, **keys).photos] == [uri]
    table = Media.model_validate({"path": "m.csv", "columns": {"item_id": "sku", "photo": "file"}})
    assert Mapper(section(**keys)).media({"sku": "a1", "file": cell}, table)[1].image_uri == uri


def test_a_pattern_makes_no_photo_of_an_empty_cell() -> None:
    assert reject({"image": ""}, photo_pattern="{}.jpg") == ("no_photo", "the row names no photo")


@pytest.mark.parametrize("pattern", ["{}", "a.jpg", "{}{}.jpg", ""])
def test_a_pattern_holds_one_place(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"must hold '\{\}' once, and something beside it"):
        section(photo_pattern=pattern)


def test_prices_that_may_mean_something_else_are_told() -> None:
    columns = {"price": "eur", "signals": {"weight": "kg"}}
    assert remarks({"eur": "1.299", "kg": "1.250"}, columns=columns) == {"may_be_thousands": 1}
    assert remarks({"eur": "1.299"}, columns=columns, decimal_mark=".") == {}
    assert remarks({"eur": 1.299}, columns=columns) == {}
    assert remarks({"eur": "0.99 USD"}, columns=columns) == {"currency:USD": 1}


@pytest.mark.parametrize(
    "cell",
    [
        "a.jpg,b.jpg", "a.jpg, b.jpg", "a.JPG|b.png", "a.jpg;b.jpg;c.jpg", "a.jpg b.webp", "a.jpg\nb.jpg",
        "https://x/a,https://x/b", "https://x/a.jpg?w=1,https://x/b.jpg?w=1", "gs://b/a;gs://b/c",
    ],
)  # fmt: skip
def test_a_cell_that_looks_like_several_photos_is_told(cell: str) -> None:
    assert remarks({"image": cell}) == {"several_photos": 1}
    assert remarks({"image": cell}, columns={"photo_separator": ""}) == {}


@pytest.mark.parametrize(
    "cell", ["a.jpg", "a, b.jpg", "a.b, c.jpg", "https://x/w_1,h_2/a.jpg", "a;b|c.png", "https://x/f?u=https://y/a.jpg"]
)
def test_a_plain_photo_is_not_told(cell: str) -> None:
    assert remarks({"image": cell}) == {}


MEDIA = {"path": "m.csv", "columns": {"item_id": "sku", "photo": "file", "box": ["l", "t", "r", "b"]}}


def media(row: dict[str, Any], **columns: str) -> tuple[str, Photo]:
    table = Media.model_validate({**MEDIA, "columns": {**MEDIA["columns"], **columns}})  # type: ignore[dict-item]
    return Mapper(section(split_names={"query": "test"})).media({"sku": "a1", "file": "s.jpg", **row}, table)


def test_a_row_of_the_media_table() -> None:
    assert media({}) == ("a1", Photo("s.jpg", "street"))
    assert media({"l": math.nan, "t": None, "r": "NULL", "b": ""}) == ("a1", Photo("s.jpg", "street"))
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
    assert (caught.value.item_id, caught.value.image_uri) == ("a1", row.get("file", "s.jpg").strip())


def test_the_columns_that_a_feed_needs_and_the_keys_that_name_them() -> None:
    columns = section(
        columns={"photos": ["i1", "i2"], "attributes": {"colour": "farbe"}, "photo_separator": "|"}
    ).columns
    assert columns.names == {
        "sku": "item_id", "i1": "photos", "i2": "photos", "path": "category", "farbe": "attributes.colour"
    }  # fmt: skip
