"""WooCommerce's export of products."""

import pytest

from tests.catalogue.shops.conftest import Exported
from tests.catalogue.shops.exports import WOOCOMMERCE, table


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_products_are_items_and_variations_left_out(exported: Exported, start: str) -> None:
    read = exported("woocommerce", "wc-product-export.csv", start + table(WOOCOMMERCE))
    assert read.rejects == []
    assert read.said("title") == {"10": "Hoodie", "11": "Beanie", "12": "Cap", "16": ""}
    assert read.photos["10"] == ["https://s.example/h1.jpg", "https://s.example/h2.jpg"]
    assert read.said("category") == {
        "10": ("Clothing", "Hoodies"), "11": ("Shoes, Boots", "Caps"), "12": ("Clothing", "Caps"), "16": ("A",),
    }  # fmt: skip
    assert read.said("price") == {"10": None, "11": 10.0, "12": 5.0, "16": 10.0}
    assert read.said("attributes") == {
        "10": {"material": "Wool", "brand": "Acme"}, "11": {"colour": "Green"}, "12": {"size": "M"}, "16": {},
    }  # fmt: skip
    assert read.noted("rows of the snapshot that say their item is gone").endswith(
        ": 5 of 9 ('variation' 2, '-1' 1, '0' 1, 'hidden' 1)"
    )


def test_items_may_go_by_their_sku_and_prices_have_a_comma(exported: Exported) -> None:
    rows = '1;simple;A;"Hut; rot";1;"Kleidung > Hüte";https://s.example/a.jpg;1.299,50\n'
    header = "ID;Type;SKU;Name;Published;Categories;Images;Regular price\n"
    read = exported("woocommerce", "export.csv", header + rows, decimal_mark=",", columns={"item_id": "SKU"})
    assert (read.said("title"), read.said("price")) == ({"A": "Hut; rot"}, {"A": 1299.5})


def test_any_attribute_can_be_mapped(exported: Exported) -> None:
    read = exported(
        "woocommerce",
        "e.csv",
        table(WOOCOMMERCE),
        columns={"attributes": {"weave": "attributes.Fabric", "brand": "Brands"}},
    )
    assert read.said("attributes")["10"] == {"material": "Wool", "brand": "Acme", "weave": "Wool"}
