"""Prices of sales that are over or have not begun are none. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipelines.catalogue.dates import seconds_of

_DAY_S = 86_400.0
_OF_MAGENTO = ("%m/%d/%y, %I:%M %p", "%m/%d/%Y, %I:%M %p")
"""As it writes them in English: 2/19/18, 1:06 AM. Others tell no month from a day."""


def without_sale(values: Mapping[str, Any], price: str, begin: str, end: str, now: float) -> Mapping[str, Any]:
    """Return a row without the price of a sale that is not on by the texts of its dates; a day without a time is whole.

    What is no date says nothing, and neither does a price that is not there.
    """
    if price not in values or is_on(begin, end, now):
        return values
    return {**values, price: None}


def is_on(begin: str, end: str, now: float) -> bool:
    """Tell whether now is between two dates, of which either may be empty."""
    first, last = _moment(begin), _moment(end)
    if last is not None and len(end.strip()) <= len("2026-11-28"):
        last += _DAY_S
    return (first is None or first <= now) and (last is None or now < last)


def _moment(text: str) -> float | None:
    text = " ".join(text.split())
    for form in (None, *_OF_MAGENTO):
        with suppress(ValueError, OverflowError):
            return seconds_of(text, text, form) if text else None
    return None
