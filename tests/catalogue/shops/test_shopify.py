"""Shopify's products_export.csv, of some years."""

import json
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.shops.conftest import Exported
from tests.catalogue.shops.exports import NEWER_SHOPIFY, SHOPIFY, table


@pytest.mark.parametrize("names", [{}, NEWER_SHOPIFY])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_product_is_an_item(exported: Exported, names: dict[str, str], delimiter: str) -> None:
    read = exported("shopify", "products_export.csv", table(SHOPIFY, delimiter, names))
    assert read.rejects == []
    assert read.photos == {"tee": ["r.jpg", "b.jpg", "back.jpg"], "mug": ["m.jpg"]}
    tee = read.held["tee"].item
    assert (tee.title, tee.price, tee.category) == ("Tee", 19.99, ("Apparel", "Clothing", "Shirts"))
    assert tee.attributes == {"brand": "Acme", "colour": "Red", "size": "S", "gender": "unisex"}
    assert read.held["mug"].item.attributes == {"brand": "Acme"}
    assert read.noted("rows of the snapshot that say their item is gone") == (
        "rows of the snapshot that say their item is gone (catalogue.columns.deleted): 2 of 6 ('archived' 1, 'false' 1)"
    )
    assert read.noted("rows whose category is that of column 'Type', for they have none: 1, as ('Mugs',)")
    assert (read.ledger.total, read.ledger.rejected) == (6, 0)


@pytest.mark.parametrize("names", [{}, NEWER_SHOPIFY])
def test_a_variant_is_an_item_by_three_keys(exported: Exported, names: dict[str, str]) -> None:
    columns: dict[str, Any] = {"item_id": "Variant SKU", "group_id": "Handle", "photos": "Variant Image"}
    rows = [row for row in SHOPIFY if row["Handle"] == "tee"]
    read = exported("shopify", "products_export.csv", table(rows, names=names), columns=columns)
    assert read.rejects == []
    assert read.photos == {"T-R": ["r.jpg"], "T-B": ["b.jpg"]}
    assert read.said("group_id") == {"T-R": "tee", "T-B": "tee"}
    assert read.said("price") == {"T-R": 19.99, "T-B": 21.99}
    assert {item_id: found["colour"] for item_id, found in read.said("attributes").items()} == {
        "T-R": "Red", "T-B": "Blue"
    }  # fmt: skip


@pytest.mark.parametrize("names", [{}, NEWER_SHOPIFY])
def test_variants_without_photos_of_their_own_have_those_of_the_product(
    exported: Exported, names: dict[str, str]
) -> None:
    """As in most exports, where no photo was assigned to a variant: by the keys that docs/feeds.md names."""
    columns = _documented()
    more = {"Handle": "tee", "Option1 Value": "Green", "Variant SKU": "T-G", "Variant Price": "9"}
    rows = [*(row | {"Variant Image": ""} for row in SHOPIFY if row["Handle"] == "tee"), more]
    read = exported("shopify", "products_export.csv", table(rows, names=names), columns=columns)
    assert read.rejects == []
    assert read.photos == {"T-R": ["r.jpg", "back.jpg"], "T-B": ["b.jpg"], "T-G": ["r.jpg"]}
    assert read.said("group_id") == {"T-R": "tee", "T-B": "tee", "T-G": "tee"}


def _documented() -> dict[str, Any]:
    """What the documentation says of variants."""
    text = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text(encoding="utf-8")
    part = text[text.index("* **Shopify's** variants are items") :]
    block = textwrap.dedent(part.partition("```toml\n")[2].partition("```")[0])
    columns: dict[str, Any] = tomllib.loads(block)["catalogue"]["columns"]
    return columns


def test_metafields_of_newer_exports_are_attributes(exported: Exported) -> None:
    text = (
        "Handle,Title,Type,Image Src,Color (product.metafields.shopify.color-pattern),Fit (product.metafields.my.fit)\n"
        "a,A,Tees,a.jpg,black,slim\n"
    )
    columns = {"attributes": {"fit": "options.Fit"}}
    read = exported("shopify", "products.csv", text, columns=columns)
    assert read.said("attributes") == {"a": {"colour": "black", "fit": "slim"}}


def test_a_product_that_is_back_is_an_item_again(exported: Exported) -> None:
    read = exported("shopify", "products.csv", table([{**SHOPIFY[4], "Status": "active"}]))
    assert read.photos == {"old": ["o.jpg"]}


def test_what_its_interface_answers_wants_two_keys_more(exported: Exported) -> None:
    product = {
        "id": 7, "title": "Tee", "handle": "tee", "vendor": "Acme", "product_type": "Shirts", "status": "active",
        "images": [{"id": 1, "src": "a.jpg"}, {"id": 2, "src": "b.jpg"}],
        "variants": [{"id": 3, "price": "19.99"}, {"id": 4, "price": "17.99"}],
    }  # fmt: skip
    columns = {"photos": "images[].src", "price": "variants[].price"}
    read = exported("shopify", "products.json", json.dumps({"products": [product]}), columns=columns)
    assert (read.photos, read.said("category")) == ({"tee": ["a.jpg", "b.jpg"]}, {"tee": ("Shirts",)})
    assert read.said("price") == {"tee": 17.99}
    assert read.said("attributes") == {"tee": {"brand": "Acme"}}
