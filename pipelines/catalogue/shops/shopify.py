"""Rows of Shopify's export: options of a product are its attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pipelines.catalogue.shops.attributes import named
from pipelines.catalogue.shops.texts import text_of

ALSO: Final = re.compile(r"option([0-9]) (name|value)|(\w[\w ]*) \(product\.metafields\.[\w.-]+\)", re.IGNORECASE)
MAKES: Final = "options."
"""What names of attributes stand behind."""
_NONE: Final = "default title"
"""The value of the only option of a product that has none."""


def plain(values: Mapping[str, Any], now: float) -> Mapping[str, Any]:  # noqa: ARG001 - of one shape for all formats
    """Return a row with `options.NAME` for each of its options, and for the metafields that Shopify has for such."""
    names: dict[str, str] = {}
    said: dict[str, str] = {}
    fields: list[tuple[str, str]] = []
    for column, value in values.items():
        if found := ALSO.fullmatch(column):
            if found[3]:
                fields.append((found[3], text_of(value)))
            else:
                (names if found[2].lower() == "name" else said)[found[1]] = text_of(value)
    options = [(name, said.get(n, "")) for n, name in sorted(names.items()) if said.get(n, "").casefold() != _NONE]
    return {**values, **named([*options, *fields], MAKES)}
