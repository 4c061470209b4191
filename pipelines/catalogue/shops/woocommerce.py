"""Rows of WooCommerce's export: its numbered attributes, and the kinds of its products."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pipelines.catalogue.shops.attributes import named
from pipelines.catalogue.shops.sales import without_sale
from pipelines.catalogue.shops.texts import text_of, unescaped

_SALE: Final = ("Date sale price starts", "Date sale price ends")
_ATTRIBUTE: Final = re.compile(
    r"(?=.*\b(?:attribut\w*|atributo|eigenschap)\b)(?=\D*([0-9]+))"
    r".*\b(?:(name|nombre|nom|nome|naam)|value|valor|valeur|valuta|valore|wert|waarde)\b.*",
    re.IGNORECASE,
)
"""`Attribute 1 name`, `Attribute 1 value(s)`, and so in German, French, Spanish, Dutch and Italian."""
ALSO: Final = re.compile(f"{_ATTRIBUTE.pattern}|{'|'.join(_SALE)}", re.IGNORECASE)
MAKES: Final = "attributes."
"""What names of attributes stand behind."""
_SEVERAL: Final = re.compile(r"(?<!\\),|\s\|\s")
_TEXTS: Final = ("Name", "Categories", "Brands")
"""Columns whose texts are written as in HTML: Hats &amp; Caps."""


def plain(values: Mapping[str, Any], now: float) -> Mapping[str, Any]:
    """Return a row with `attributes.NAME` for attributes of one value, whether it is a variation, and no past sale."""
    row = {**values, **_attributes(values), **{name: unescaped(values[name]) for name in _TEXTS if name in values}}
    kind = text_of(values.get("Type")).partition(",")[0].casefold()
    if kind:  # "variation, virtual", "subscription_variation"; plug-ins have kinds of their own
        row["Type"] = "variation" if kind.endswith("variation") else "product"
    begin, end = (text_of(values.get(name)) for name in _SALE)
    return without_sale(row, "Sale price", begin, end, now)


def _attributes(values: Mapping[str, Any]) -> dict[str, str]:
    names: dict[str, str] = {}
    said: dict[str, str] = {}
    for column, value in values.items():
        if found := _ATTRIBUTE.fullmatch(column):
            (names if found[2] else said)[found[1]] = unescaped(text_of(value))
    pairs = ((name, said.get(number, "")) for number, name in names.items())
    one = ((name, value.replace("\\,", ",")) for name, value in pairs if not _SEVERAL.search(value))
    return named(one, MAKES)
