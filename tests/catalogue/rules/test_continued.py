"""Feeds with a row for each variant or photo of a product, which leave out what the first row says."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import StageError
from tests.catalogue.shop import Shop

SHOPIFY = """\
Handle,Title,Product Category,Status,Option1 Value,Variant SKU,Variant Price,Image Src,Image Position
shirt,Shirt,Apparel > Shirts,active,S,SH-S,19.99,s1.jpg,1
shirt,,,,M,SH-M,21.99,,
shirt,,,,,,,s2.jpg,2
shirt,,,,,,,s3.jpg,3
mug,Mug,Home > Mugs,active,,MUG,5.00,m1.jpg,1
old,Old,Home > Mugs,archived,,OLD,5.00,o1.jpg,1
old,,,,,,,o2.jpg,2
cap,Cap,Apparel > Caps,active,red,CAP-R,9.99,c1.jpg,1
cap,,,,blue,CAP-B,9.99,c2.jpg,2
"""
COLUMNS = {
    "item_id": "Handle", "photos": "Image Src", "category": "Product Category", "title": "Title",
    "price": "Variant Price", "deleted": "Status",
}  # fmt: skip
WORDS = {"deleted_words": ["archived", "draft"], "not_deleted_words": ["active"]}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    (shop.root / "feed.csv").write_text(SHOPIFY)
    return shop


def read(shop: Shop, columns: dict[str, Any], **section: Any) -> Any:
    shop.write_config(catalogue={"columns": columns, **WORDS, **section})
    return shop.run("r", "catalogue")["catalogue"]


def photos(shop: Shop) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in shop.table("photos"):
        found.setdefault(one["item_id"], []).append(one["image_uri"])
    return found


def test_a_product_is_an_item_with_the_photos_of_all_its_rows(shop: Shop) -> None:
    manifest = read(shop, {**COLUMNS, "continues": "Handle"})
    assert manifest["rejects"] == {}
    assert manifest["notes"] == [
        "rows of the snapshot that say their item is gone (catalogue.columns.deleted): 2 of 9 ('archived' 2)"
    ]
    assert photos(shop) == {"shirt": ["s1.jpg", "s2.jpg", "s3.jpg"], "mug": ["m1.jpg"], "cap": ["c1.jpg", "c2.jpg"]}
    items = {one["item_id"]: one for one in shop.table("items")}
    assert items["shirt"]["category"] == ["Apparel", "Shirts"]
    assert (items["shirt"]["title"], items["shirt"]["price"]) == ("Shirt", 19.99)
    counts = manifest["counts"]
    assert (counts["in"], counts["ok"], counts["skipped"]) == (9, 7, 2)


def test_a_row_that_says_otherwise_of_the_same_item_is_a_duplicate(shop: Shop) -> None:
    again = "mug,Cup,Home > Mugs,active,,CUP,7.00,m2.jpg,1\n"
    full = "shirt,Shirt,Apparel > Shirts,active,M,SH-M,21.99,s9.jpg,\n"  # as exports that leave out nothing
    lines = SHOPIFY.splitlines(keepends=True)
    (shop.root / "feed.csv").write_text("".join([*lines[:2], full, *lines[2:6], again, *lines[6:]]))
    manifest = read(shop, {**COLUMNS, "continues": "Handle"}, max_rejected_share=1.0)
    assert manifest["rejects"] == {"conflicting_duplicate": 1}
    [reject] = shop.table("rejects")
    assert (reject["source"], reject["item_id"]) == ("feed.csv:8", "mug")
    assert photos(shop)["shirt"] == ["s1.jpg", "s9.jpg", "s2.jpg", "s3.jpg"]


def test_a_variant_is_an_item_with_what_its_product_says(shop: Shop) -> None:
    columns = {**COLUMNS, "item_id": "Variant SKU", "group_id": "Handle", "continues": "Handle"}
    assert read(shop, columns)["rejects"] == {}
    assert photos(shop) == {
        "SH-S": ["s1.jpg", "s2.jpg", "s3.jpg"], "SH-M": ["s1.jpg"], "MUG": ["m1.jpg"], "CAP-R": ["c1.jpg"],
        "CAP-B": ["c2.jpg"],
    }  # fmt: skip
    items = {one["item_id"]: one for one in shop.table("items")}
    assert {(one["group_id"], one["title"]) for one in items.values()} == {
        ("shirt", "Shirt"), ("mug", "Mug"), ("cap", "Cap"),
    }  # fmt: skip
    assert (items["SH-M"]["price"], items["SH-M"]["category"]) == (21.99, ["Apparel", "Shirts"])


@pytest.mark.parametrize("column", ["Handle", "Variant SKU"])
def test_without_the_setting_the_refusal_names_it(shop: Shop, column: str) -> None:
    with pytest.raises(StageError) as caught:
        read(shop, {**COLUMNS, "item_id": column, "group_id": "Handle"})
    assert "rejected rows that leave out what the row before says of the same product: " in str(caught.value)
    assert "; set catalogue.columns.continues to the column whose value such rows share" in str(caught.value)


def test_a_row_stands_alone_where_the_column_is_empty_or_another(shop: Shop) -> None:
    rows = list(csv.DictReader(io.StringIO(SHOPIFY)))
    rows = [{**rows[0], "Handle": "", "Variant SKU": "A"}, {**rows[2], "Handle": "", "Variant SKU": "B"}, *rows[4:5]]
    shop.write_csv([*rows, {**rows[2], "Handle": "shirt", "Variant SKU": "C", "Product Category": ""}])
    columns = {**COLUMNS, "item_id": "Variant SKU", "continues": "Handle"}
    manifest = read(shop, columns, max_rejected_share=1.0)
    assert manifest["rejects"] == {"no_category": 2}
    assert shop.item_ids() == {"A", "MUG"}


def test_json_lines_and_words_for_no_value_continue_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    (shop.root / "feed.jsonl").write_text(
        '{"id": 7, "image": ["a.jpg"], "path": ["Shoes", "Boots"], "name": "Boot"}\n'
        '{"id": 7, "image": ["b.jpg", "c.jpg"], "path": [], "name": "NULL"}\n{"id": 7.0, "image": "d.jpg"}\n'
    )
    columns = {"item_id": "id", "photos": "image", "category": "path", "title": "name", "continues": "id"}
    shop.write_config(catalogue={"snapshot": "feed.jsonl", "columns": columns})
    assert shop.run("r", "catalogue")["catalogue"]["rejects"] == {}
    assert photos(shop) == {"7": ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]}


def test_further_photos_come_and_go_by_delta_as_by_snapshot(shop: Shop) -> None:
    read(shop, {**COLUMNS, "continues": "Handle"})
    (shop.root / "feed.csv").write_text(SHOPIFY.replace("s2.jpg", "s9.jpg").replace("shirt,,,,,,,s3.jpg,3\n", ""))
    shop.run("r2", "catalogue")
    assert photos(shop)["shirt"] == ["s1.jpg", "s9.jpg"]


ODOO = """\
id,name,categ_id,image
desk,Desk,Home > Desks,d1.jpg
,,,d2.jpg
,,,d3.jpg
lamp,Lamp,Home > Lamps,l1.jpg
,,,l2.jpg
"""
OF_ODOO = {"item_id": "id", "photos": "image", "category": "categ_id", "title": "name"}


def test_a_row_without_an_id_adds_its_photos_to_the_item_above(shop: Shop) -> None:
    (shop.root / "feed.csv").write_text(ODOO)
    manifest = read(shop, {**OF_ODOO, "continues": "id"})
    assert (manifest["rejects"], manifest["notes"]) == ({}, [])
    assert photos(shop) == {"desk": ["d1.jpg", "d2.jpg", "d3.jpg"], "lamp": ["l1.jpg", "l2.jpg"]}


def test_rows_without_an_id_name_the_setting_in_the_refusal_and_in_the_note(shop: Shop) -> None:
    (shop.root / "feed.csv").write_text(ODOO)
    hint = (
        "rejected rows without id and category below a sound row: 3, as feed.csv:3; if they are more of the item "
        "above, set catalogue.columns.continues to the column of item_id"
    )
    with pytest.raises(StageError) as caught:
        read(shop, OF_ODOO)
    assert str(caught.value).endswith(hint)
    assert hint in read(shop, OF_ODOO, max_rejected_share=1.0)["notes"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lamp,Lamp,Home > Lamps,l1.jpg", ",Lamp,Home > Lamps,l1.jpg"),  # it has lost its own id
        ("lamp,Lamp,Home > Lamps,l1.jpg", "lamp,Lamp,Home > Lamps"),  # nor may the damaged one's photos be the desk's
        ("desk,Desk,Home > Desks,d1.jpg\n", ""),
    ],
)
def test_a_row_that_may_be_of_another_item_adds_nothing_to_the_one_above(shop: Shop, old: str, new: str) -> None:
    (shop.root / "feed.csv").write_text(ODOO.replace(old, new))
    read(shop, {**OF_ODOO, "continues": "id"}, max_rejected_share=1.0)
    [left] = photos(shop).items()
    assert left in [("desk", ["d1.jpg", "d2.jpg", "d3.jpg"]), ("lamp", ["l1.jpg", "l2.jpg"])]


def test_a_row_that_names_its_product_continues_it_below_a_damaged_one_too(shop: Shop) -> None:
    (shop.root / "feed.csv").write_text(SHOPIFY.replace("shirt,,,,,,,s2.jpg,2", "shirt,,,,s2.jpg,2"))
    assert read(shop, {**COLUMNS, "continues": "Handle"}, max_rejected_share=1.0)["rejects"] == {"bad_row": 1}
    assert photos(shop)["shirt"] == ["s1.jpg", "s3.jpg"]
