"""What a cell says as a moment. Pure functions."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

YEAR_2200: Final = 7_258_118_400
"""In seconds since 1970; counts beyond it are of milliseconds, or of smaller parts."""
_COUNT: Final = re.compile(r"[0-9]{9,19}(?:\.[0-9]*)?")
"""Since 1973; fewer digits are a date as 20261128, or the days of a spreadsheet."""
_ZONE: Final = re.compile(r"(?<=[0-9])\s+(UTC|GMT|Z|[+-][0-9]{2}(?::?[0-9]{2})?)$", re.IGNORECASE)
_MAIL: Final = re.compile(r"(?:[A-Z][a-z]{2},\s+)?[0-9]{1,2}[ -][A-Z][a-z]{2}[ -][0-9]{4}\s+[0-9]{1,2}:.*")


def seconds_of(value: Any, text: str, form: str | None) -> float:
    """Return a cell, also given as text, as seconds since 1970; UTC where it names no zone.

    Read are `form` (of strptime), if it is set, ISO 8601, the dates of mail and HTTP (RFC 5322), and counts of seconds,
    milliseconds, microseconds or nanoseconds since 1970. Raises ValueError or OverflowError.
    """
    if isinstance(value, datetime):
        return _at(value)
    if form:
        with suppress(ValueError):
            return _at(datetime.strptime(text, form))  # noqa: DTZ007 - _at knows what to do without a zone
    if _COUNT.fullmatch(text):
        count = float(text)
        while count >= YEAR_2200:
            count /= 1000
        return count
    if _MAIL.fullmatch(text):
        return _at(parsedate_to_datetime(text))
    return _at(datetime.fromisoformat(_ZONE.sub(_offset, text)))


def _offset(zone: re.Match[str]) -> str:
    return zone[1] if zone[1][0] in "+-" else "+00:00"


def _at(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
