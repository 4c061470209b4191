"""What a mapping alone cannot say of the exports of shop systems: a row as it was written -> the same row, plain."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.catalogue.shops import google_merchant, magento, shopify, woocommerce
from pipelines.config.formats import Format

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Shop:
    """How a row is made plain, from it and the time in seconds since 1970; what names the columns have that it needs.

    `makes` is what names of columns begin with that it makes.
    """

    also: re.Pattern[str]
    plain: Callable[[Row, float], Row]
    makes: str = ""


_SHOPS: Mapping[Format, _Shop] = {
    "google_merchant": _Shop(google_merchant.ALSO, google_merchant.plain),
    "shopify": _Shop(shopify.ALSO, shopify.plain, shopify.MAKES),
    "woocommerce": _Shop(woocommerce.ALSO, woocommerce.plain, woocommerce.MAKES),
    "magento": _Shop(magento.ALSO, magento.plain, magento.MAKES),
}


def also_read(name: Format | None) -> re.Pattern[str] | None:
    """Return what names columns have that rows of a format are made plain with, beside those that are mapped."""
    return _SHOPS[name].also if name else None


def is_made(name: Format | None, column: str) -> bool:
    """Tell whether a column is not of a file, but of rows of a format that were made plain."""
    return bool(name and _SHOPS[name].makes and column.startswith(_SHOPS[name].makes))


def plain(name: Format | None, values: Row, now: float) -> Row:
    """Return a row of a format as its mapping reads it; `now` in seconds since 1970."""
    return _SHOPS[name].plain(values, now) if name else values
