"""Rows of WooCommerce's export: its numbered attributes, and the kinds of its products."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pipelines.catalogue.shops.attributes import named
from pipelines.catalogue.shops.sales import without_sale
from pipelines.catalogue.shops.texts import text_of

_ATTRIBUTE: Final = re.compile(r"attribute ([0-9]+) (name|value\(s\)|values?)", re.IGNORECASE)
_SALE: Final = re.compile(r"date sale price (starts|ends)", re.IGNORECASE)
ALSO: Final = re.compile(f"{_ATTRIBUTE.pattern}|{_SALE.pattern}", re.IGNORECASE)
MAKES: Final = "attributes."
"""What names of attributes stand behind."""
_SEVERAL: Final = re.compile(r"(?<!\\),|\s\|\s")


def plain(values: Mapping[str, Any], now: float) -> Mapping[str, Any]:
    """Return a row with `attributes.NAME` for attributes of one value, whether it is a variation, and no past sale."""
    names: dict[str, str] = {}
    said: dict[str, str] = {}
    dates: dict[str, str] = {}
    for column, value in values.items():
        if found := _ATTRIBUTE.fullmatch(column):
            (names if found[2].lower() == "name" else said)[found[1]] = text_of(value)
        elif found := _SALE.fullmatch(column):
            dates[found[1].lower()] = text_of(value)
    one = [(name, said.get(n, "").replace("\\,", ",")) for n, name in names.items() if not _is_several(said.get(n, ""))]
    kind = text_of(values.get("Type")).partition(",")[0].casefold()
    if kind:  # "variation, virtual", "subscription_variation"; plug-ins have kinds of their own
        values = {**values, "Type": "variation" if kind.endswith("variation") else "product"}
    row = {**values, **named(one, MAKES)}
    return without_sale(row, "Sale price", dates.get("starts", ""), dates.get("ends", ""), now)


def _is_several(text: str) -> bool:
    """Tell whether an item comes with several values of an attribute, and so has no one of them."""
    return _SEVERAL.search(text) is not None
