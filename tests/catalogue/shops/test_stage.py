"""Exports through the catalogue stage, from a config of three lines."""

from pathlib import Path

import pytest

from tests.catalogue.shop import Shop
from tests.catalogue.shops.exports import MAGENTO, SHOPIFY, WOOCOMMERCE, google_item, rss, table


@pytest.mark.parametrize(
    ("kind", "name", "content", "items"),
    [
        ("google_merchant", "feed.xml", rss(map(google_item, "ab")), {"a": (12.99, "USD"), "b": (12.99, "USD")}),
        ("shopify", "products_export.csv", table(SHOPIFY), {"tee": (19.99, None), "mug": (5.0, None)}),
        (
            "woocommerce", "export.csv", table(WOOCOMMERCE),
            {"10": (None, None), "11": (10.0, None), "12": (5.0, None), "16": (10.0, None)},
        ),
        (
            "magento", "catalog_product.csv", table(MAGENTO),
            {"WB01": (29.5, None), "MUG": (5.0, None), "TOY": (5.0, None)},
        ),
    ],
)  # fmt: skip
def test_an_export_is_read_with_no_more_than_its_format(
    tmp_path: Path, kind: str, name: str, content: str, items: dict[str, tuple[float | None, str | None]]
) -> None:
    (tmp_path / name).write_text(content, newline="")
    shop = Shop(tmp_path)
    shop.config.write_text(
        f'[store]\nuri = "store"\nbuckets = 3\n[catalogue]\nformat = "{kind}"\nsnapshot = "{name}"\n'
    )
    result = shop.cli("catalogue")
    assert result.exit_code == 0, result.output
    assert {row["item_id"]: (row["price"], row["currency"]) for row in shop.table("items")} == items
    assert shop.table("rejects") == []
