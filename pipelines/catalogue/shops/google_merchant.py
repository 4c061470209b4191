"""Rows of Google's Merchant Center."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pipelines.catalogue.shops.sales import without_sale
from pipelines.catalogue.shops.texts import text_of, unescaped

_PHOTOS: Final = re.compile(r"additional[ _-]?image[ _-]?links?[ _-]?[0-9]*", re.IGNORECASE)
"""One column, or several that are numbered."""
_PERIOD: Final = re.compile(r"(?:g:)?sale[ _-]?price[ _-]?effective[ _-]?date", re.IGNORECASE)
ALSO: Final = re.compile(f"{_PHOTOS.pattern}|{_PERIOD.pattern}", re.IGNORECASE)
_TEXTS: Final = ("title", "product_type", "google_product_category", "fb_product_category", "brand")
"""Columns whose texts many plug-ins write as in HTML, in XML twice."""
_NUMBER: Final = re.compile(r"[0-9]{1,6}\s+-\s+(?=\S)")
"""Of a category before its path, as Google's list writes them."""


def _is_one(path: str) -> bool:
    """Tell whether commas stand within the first level of one path, "Food, Drinks > Coffee", and part no paths."""
    first, *others = path.split(",")
    return ">" not in first and any(">" in other for other in others) and '"' not in path


def plain(values: Mapping[str, Any], now: float) -> Mapping[str, Any]:
    """Return a row with numbered columns of photos in one, paths as they are meant, and no price of a past sale."""
    found = {**values, **{name: unescaped(values[name]) for name in _TEXTS if name in values}}
    photos = [value for name, value in values.items() if _PHOTOS.fullmatch(name)]
    if len(photos) > 1:
        found["additional_image_link"] = [one for of in photos for one in (of if isinstance(of, list) else [of])]
    path = text_of(found.get("google_product_category"))
    if _NUMBER.match(path):
        found["google_product_category"] = _NUMBER.sub("", path, count=1)
    if _is_one(path := text_of(found.get("product_type"))):
        found["product_type"] = f'"{path}"'
    period = next((text_of(value) for name, value in values.items() if _PERIOD.fullmatch(name)), "")
    begin, _, end = period.partition("/")
    return without_sale(found, "sale_price", begin, end, now)
