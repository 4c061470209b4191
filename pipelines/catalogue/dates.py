"""What a cell says as a moment. Pure functions."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

YEAR_2200: Final = 7_258_118_400
"""In seconds since 1970."""
_COUNT: Final = re.compile(r"((?:[0-9]{3}){3,6}[0-9]?)(?:\.[0-9]*)?")
"""Seconds, or thousandths of them and so on, since 1973: of other numbers of digits none is."""
_COMPACT: Final = {12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}
"""Dates without marks, by the number of their digits; with eight of them they are of ISO 8601."""
_NONE: Final = re.compile(r"0+|0000-00-00.*")
_NO_DAYS: Final = frozenset(
    [
        date(1, 1, 1),  # .NET and Go
        date(1753, 1, 1),  # SQL Server
        *(date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1)),  # Delphi, Access and Excel
        date(9999, 12, 31),  # SAP, and what never ends
    ]
)
_DAYS: Final = re.compile(r"[2-6][0-9]{4}(?:[.,][0-9]+)?")
_ZONE: Final = re.compile(r"(?<=[0-9])\s+(UTC|GMT|Z|[+-][0-9]{2}(?::?[0-9]{2})?)$", re.IGNORECASE)
_MAIL: Final = re.compile(r"(?:[A-Z][a-z]{2},\s+)?[0-9]{1,2}[ -][A-Z][a-z]{2}[ -][0-9]{4}\s+[0-9]{1,2}:.*")


def seconds_of(value: Any, text: str, form: str | None) -> float | None:
    """Return a cell, also given as text, as seconds since 1970; UTC where it names no zone. None stands for no date.

    Read are `form` (of strptime), if it is set, ISO 8601, also without marks, the dates of mail and HTTP (RFC 5322),
    and counts of seconds, milliseconds, microseconds or nanoseconds since 1970. Raises ValueError or OverflowError.
    """
    if isinstance(value, datetime):
        return _at(value)
    if form:
        with suppress(ValueError):
            return _at(datetime.strptime(text, form))  # noqa: DTZ007 - _at knows what to do without a zone
    if text.startswith(("19", "20")) and text.isdecimal() and len(text) in _COMPACT:
        with suppress(ValueError):
            return _at(datetime.strptime(text, _COMPACT[len(text)]))  # noqa: DTZ007
    count = _COUNT.fullmatch(text)
    if count:
        return float(text) / 1000 ** (len(count[1]) // 3 - 3)
    if _MAIL.fullmatch(text):
        return _at(parsedate_to_datetime(text))
    return _at(datetime.fromisoformat(_ZONE.sub(_offset, text)))


def is_no_date(text: str) -> bool:
    """Tell whether a text is what MySQL and others write for no date."""
    return bool(_NONE.fullmatch(text))


def is_days(text: str) -> bool:
    """Tell whether a text looks like a spreadsheet's count of days since 1900."""
    return bool(_DAYS.fullmatch(text))


def _offset(zone: re.Match[str]) -> str:
    return zone[1] if zone[1][0] in "+-" else "+00:00"


def _at(moment: datetime) -> float | None:
    if moment.date() in _NO_DAYS:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
