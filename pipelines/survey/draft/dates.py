"""The forms of strptime that dates may be of. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

_DAYS: Final = (
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%y",
    "%d %b %Y",
)
_TIMES: Final = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", ", %H:%M", " %I:%M %p", " %I:%M:%S %p")
_FEW: Final = 0.02
"""Of the dates, which may be damaged."""


def forms_of(texts: Sequence[str]) -> list[str]:
    """Return the forms that nearly all of some dates are of: one, or several where none has a day over 12."""
    forms = [day + time for day in _DAYS for time in _TIMES]
    misses = {form: sum(not _is_of(text, form) for text in texts) for form in forms}
    fewest = min(misses.values())
    return [form for form, count in misses.items() if count == fewest] if fewest <= _FEW * len(texts) else []


def _is_of(text: str, form: str) -> bool:
    with suppress(ValueError):
        datetime.strptime(text, form)  # noqa: DTZ007 - whether it can be read is all that is asked
        return True
    return False
