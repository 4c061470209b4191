"""Whether an item can be had, as shops write it."""

import pytest

from pipelines.catalogue.availability import availability_of


@pytest.mark.parametrize(
    ("meaning", "texts"),
    [
        (
            "in_stock",
            "in stock|in_stock|InStock|IN STOCK|https://schema.org/InStock|http://schema.org/LimitedAvailability|"
            "schema:InStock|1|true|True|yes|12|5.0000|10+|> 50|3 pcs|Auf Lager|sofort lieferbar|En stock|disponible|"
            "Unlimited|٣|１２",
        ),
        (
            "out_of_stock",
            "out of stock|out_of_stock|OutOfStock|out-of-stock|https://schema.org/OutOfStock|schema:SoldOut|0|0.0000|-2|"
            "false|FALSE|No|discontinued|https://schema.org/Discontinued|Sold out!|Ausverkauft|agotado|"
            "rupture de stock|Nicht auf Lager|non disponibile|0 pcs|٠|٠٫٠",
        ),
        ("preorder", "preorder|pre-order|PreOrder|https://schema.org/PreOrder|coming soon"),
        ("backorder", "backorder|BackOrder|on backorder|onbackorder"),
        ("", ""),
        (None, "perhaps|soon?|A1|12 apples|https://schema.org/"),
    ],
)
def test_what_words_mean(meaning: str | None, texts: str) -> None:
    assert {text: availability_of(text) for text in texts.split("|")} == dict.fromkeys(texts.split("|"), meaning)
