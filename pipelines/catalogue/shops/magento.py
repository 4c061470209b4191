"""Rows of Magento's export: attributes in one cell, photos that are not shown, the root above all categories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pipelines.catalogue.shops.attributes import named
from pipelines.catalogue.shops.sales import without_sale
from pipelines.catalogue.shops.texts import text_of

ALSO: Final = re.compile(r"additional_attributes|hide_from_product_page|special_price_(?:from|to)_date")
MAKES: Final = "additional_attributes."
"""What names of attributes stand behind."""
_PAIR: Final = re.compile(r",(?=[A-Za-z]\w*=)")
"""Between attributes: a comma within a value has no name and equals sign behind it."""
_PHOTOS: Final = ("base_image", "small_image", "additional_images")
_ROOT: Final = "Default Category"
"""Of Magento itself; what a shop has named its own roots is a level as others are."""
_SEVERAL: Final = "|"


def plain(values: Mapping[str, Any], now: float) -> Mapping[str, Any]:
    """Return a row with `additional_attributes.NAME` for each, photos that are shown, and no price of a past sale."""
    row = {**values, **_attributes(text_of(values.get("additional_attributes")))}
    hidden = {*_parts(values.get("hide_from_product_page"))}
    for column in _PHOTOS:
        if column in values:
            row[column] = [photo for photo in _parts(values[column]) if photo not in hidden]
    if categories := text_of(values.get("categories")):
        row["categories"] = _below_root(categories)
    begin, end = (text_of(values.get(f"special_price_{which}_date")) for which in ("from", "to"))
    return without_sale(row, "special_price", begin, end, now)


def _attributes(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in _PAIR.split(text))
    return named(((name, value.strip('"')) for name, _, value in pairs if _SEVERAL not in value), MAKES)


def _parts(value: Any) -> list[str]:
    return [part for one in text_of(value).split(",") if (part := one.strip())]


def _below_root(categories: str) -> str:
    """Return paths without the root that all have, but for products that are nowhere else."""
    below = [path.removeprefix(f"{_ROOT}/") for path in categories.split(",") if path != _ROOT]
    return ",".join(below) or _ROOT
