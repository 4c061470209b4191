"""The export of products of Magento 2."""

import pytest

from tests.catalogue.shops.conftest import Exported
from tests.catalogue.shops.exports import MAGENTO, table


def test_what_is_shown_is_an_item(exported: Exported) -> None:
    read = exported("magento", "catalog_product.csv", table(MAGENTO))
    assert read.rejects == []
    assert read.photos == {"WB01": ["w/b/base.jpg", "w/b/back.jpg"], "MUG": ["m/u/mug.jpg"], "TOY": ["t/o/y.jpg"]}
    assert read.said("title") == {"WB01": "Bag", "MUG": "Mug", "TOY": "Toy"}
    assert read.said("category") == {
        "WB01": ("Gear", "Bags"), "MUG": ("Default Category",), "TOY": ("Kids/Toys", "Small")
    }  # fmt: skip
    assert read.said("price") == {"WB01": 29.5, "MUG": 5.0, "TOY": 5.0}
    assert read.said("attributes") == {
        "WB01": {"colour": "Black", "material": "Leather, soft"}, "MUG": {}, "TOY": {"colour": "Green", "size": "S"}
    }  # fmt: skip
    assert read.noted("rows of the snapshot that say their item is gone").endswith(
        ": 2 of 6 ('2' 1, 'not visible individually' 1)"
    )


@pytest.mark.parametrize(
    ("begin", "end", "price"),
    [
        ("2/19/18, 1:06 AM", "", 3.0), ("2/19/18, 1:06\u202fAM", "12/31/19, 11:59 PM", 5.0), ("", "2099-12-31", 3.0),
        ("19.02.18, 13:06", "20.02.18, 13:06", 3.0),  # which may mean anything
    ],
)  # fmt: skip
def test_a_special_price_counts_while_its_dates_say_so(exported: Exported, begin: str, end: str, price: float) -> None:
    row = {**MAGENTO[5], "special_price_from_date": begin, "special_price_to_date": end}
    assert exported("magento", "export.csv", table([row])).said("price") == {"TOY": price}


def test_any_attribute_can_be_mapped(exported: Exported) -> None:
    columns = {"attributes": {"features": "additional_attributes.features"}}
    read = exported("magento", "catalog_product.csv", table(MAGENTO), columns=columns)
    assert read.said("attributes")["WB01"] == {"colour": "Black", "material": "Leather, soft", "features": "a, b"}
