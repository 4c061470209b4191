"""Exports that were damaged in ordinary ways: what is whole is read, and every damaged row is told, with its line."""

from typing import Any

import pytest

from pipelines.catalogue.formats.base import FeedError
from tests.catalogue.shops.conftest import Exported
from tests.catalogue.shops.exports import MAGENTO, SHOPIFY, WOOCOMMERCE, google_item, rss, table

Rejects = list[tuple[int, str, str]]
ITEMS = [google_item(item_id) for item_id in "abcdef"]
PLAIN = [
    {"id": str(n), "title": f"Café {n}", "image_link": f"{n}.jpg", "product_type": "A > B", "price": "1 EUR"}
    for n in range(5)
]


def truncated_xml() -> str:
    unescaped = ITEMS[1].replace("<![CDATA[Shirt & b]]>", "Shirt & b")
    return rss([ITEMS[0], unescaped, ITEMS[2], google_item("a", title="Twice"), *ITEMS[3:]])[:-400]


def mixed_encodings() -> bytes:
    lines = table(PLAIN, "\t").encode().split(b"\r\n")
    return b"\r\n".join([*lines[:2], lines[2].decode().encode("cp1252"), *lines[3:]])


def lost_quote() -> str:
    return table([*SHOPIFY[3:4], *SHOPIFY[:3], *SHOPIFY[4:]]).replace('""good""</p>"', '""good""</p>')


def cut_table() -> str:
    rows = [*WOOCOMMERCE[:2], {**WOOCOMMERCE[1], "Name": "Twice"}, {**WOOCOMMERCE[3], "Images": ""}]
    return table([*rows, {**WOOCOMMERCE[3], "ID": "18", "Categories": ""}, WOOCOMMERCE[2]])[:-60]


def bad_cells() -> str:
    toy = MAGENTO[5]
    odd: list[dict[str, str]] = [{"name": "Twice"}, {"sku": "A", "categories": ""}, {"sku": "B", "price": "5,00,1"}]
    odd += [{"sku": "C", "product_online": "maybe"}, {"sku": "4.00638E+12"}]
    return table([*MAGENTO, *({**toy, **one} for one in odd)]).replace("MUG,,Default,simple,", "MUG,,Default,")


@pytest.mark.parametrize(
    ("kind", "name", "content", "items", "rejects"),
    [
        (
            "google_merchant", "feed.xml", truncated_xml(), "a c d",
            [(14, "bad_row", ""), (34, "conflicting_duplicate", "a"), (54, "bad_row", "")],
        ),
        ("google_merchant", "feed.tsv", mixed_encodings(), "0 2 3 4", [(3, "bad_utf8", "1")]),
        (
            "shopify", "products_export.csv", lost_quote(), "mug",  # the rows below the damaged one are of its product
            [(3, "bad_row", ""), (5, "no_category", "tee"), (6, "no_category", "tee")],
        ),
        ("shopify", "products_export.csv", table(SHOPIFY[1:]), "mug",
         [(2, "no_category", "tee"), (3, "no_category", "tee")]),
        (
            "woocommerce", "export.csv", cut_table(), "10",
            [(4, "conflicting_duplicate", "10"), (5, "no_photo", "12"), (6, "no_category", "18"), (7, "bad_row", "")],
        ),
        (
            "magento", "catalog_product.csv", bad_cells(), "TOY WB01",
            [(5, "bad_row", ""), (8, "conflicting_duplicate", "TOY"), (9, "no_category", "A"), (10, "bad_number", "B"),
             (11, "bad_deleted", "C"), (12, "bad_item_id", "")],
        ),
    ],
)  # fmt: skip
def test_every_damaged_row_is_told_and_the_others_are_read(
    exported: Exported, kind: str, name: str, content: Any, items: str, rejects: Rejects
) -> None:
    read = exported(kind, name, content)
    assert read.rejects == rejects
    assert sorted(read.held) == items.split()
    assert read.ledger.total == read.ledger.ok + read.ledger.skipped + len(rejects)


def test_ids_of_damaged_rows_keep_their_items(exported: Exported) -> None:
    """Where an id can be made out in what is broken, its item is not gone."""
    assert exported("google_merchant", "feed.xml", truncated_xml()).mentions == {"b", "e"}
    assert "MUG" in exported("magento", "catalog_product.csv", bad_cells()).mentions


ERROR_PAGE = "<!DOCTYPE html><html><body>Error establishing a database connection</body></html>"
NO_CATEGORIES = table([{key: value for key, value in row.items() if key != "Categories"} for row in WOOCOMMERCE])


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"),
    [
        ("woocommerce", "export.csv", ERROR_PAGE, "export.csv is a web page or XML, not a table"),
        ("google_merchant", "feed.xml", ERROR_PAGE, "feed.xml cannot be read: it is a web page, not a feed"),
        ("google_merchant", "feed.xml", '{"error": 401}', "it has no element of XML"),
        ("google_merchant", "feed.xml", rss([]), "feed.xml is empty"),
        ("woocommerce", "export.csv", NO_CATEGORIES, "no column 'Categories', which catalogue.columns.category names"),
        ("magento", "export.csv", "sku,name\nA,B\n", "no column 'base_image', which catalogue.columns.photos names"),
        ("shopify", "export.csv", "", "export.csv is empty"),
        ("shopify", "orders.csv", "Name,Email,Total\n#1,a@b.example,3\n", "no column 'Handle'"),
        ("shopify", "products.xlsx", b"PK\x03\x04", "products.xlsx is a workbook; save it as CSV"),
    ],
)
def test_what_is_no_export_is_refused(exported: Exported, kind: str, name: str, content: Any, said: str) -> None:
    with pytest.raises(FeedError) as caught:
        exported(kind, name, content)
    assert said in str(caught.value)
