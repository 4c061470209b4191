"""One cell of a feed -> what it says: a text, a number, a price, a moment. Pure functions.

What exporters write for no value counts as an empty cell in every column.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Number
from operator import itemgetter
from typing import Any
from uuid import UUID

from pipelines.catalogue.dates import YEAR_2200, is_days, is_no_date, seconds_of
from pipelines.catalogue.doubts import LOOKS_EMPTY, looks_empty, may_mean_none
from pipelines.catalogue.lists import addresses_of, flattened, list_of
from pipelines.catalogue.numbers import DecimalMark, NotANumberError, may_be_thousands, number_of, price_of
from pipelines.tables.spelling import trimmed, visible

REJECT_CODES = [
    "bad_row",
    "bad_utf8",
    "bad_text",
    "no_item_id",
    "bad_item_id",
    "no_category",
    "deep_category",
    "no_photo",
    "bad_number",
    "bad_date",
    "future_date",
    "bad_deleted",
    "bad_split",
    "bad_box",
    "conflicting_duplicate",
    "unknown_item",
]
DAY_S = 86_400.0
EXACT_FLOATS = 1 << 53
"""From here on a float holds no whole number for certain: two ids may have become one."""
SHOWN = 40
Parts = Callable[[str, str | None], list[str]]
"""A text and what parts it -> its parts."""
MAY_BE_THOUSANDS = "may_be_thousands"
FLOAT_IDS = "float_ids"
"""The remark on ids such as 10000.0."""
_OF_FLOAT = re.compile(r"[0-9]+\.0")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2,}", re.IGNORECASE)


class RejectError(Exception):
    """A row is rejected: a code of REJECT_CODES, and a detail that names the value."""

    def __init__(self, code: str, detail: str, item_id: str = "", image_uri: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.item_id, self.image_uri = code, detail, item_id, image_uri


@dataclass
class Remarks:
    """What was noticed in the cells of a feed that people should hear of: how often, and one example each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, example: str) -> None:
        """Count one more."""
        self.counts[what] += 1
        self.examples.setdefault(what, example)

    def forget(self, kind: str) -> None:
        """Leave out what begins with a kind and a colon."""
        for what in [what for what in self.counts if what.startswith(f"{kind}:")]:
            del self.counts[what], self.examples[what]


@dataclass(frozen=True)
class Spelling:
    """How a shop writes its values: words that mean none, the mark before decimals, dates as strptime reads them."""

    no_value: frozenset[str] = frozenset()
    decimal_mark: DecimalMark | None = None
    date_format: str | None = None


@dataclass(frozen=True)
class Cells:
    """The cells of one row by column."""

    values: Mapping[str, Any]
    spelling: Spelling = field(default_factory=Spelling)
    remarks: Remarks = field(default_factory=Remarks)

    def raw(self, column: str | None) -> Any:
        """Return a cell as the file has it, None where it or its column is empty."""
        value = self.values.get(column) if column else None
        return None if _is_missing(value) else value

    def text(self, column: str | None) -> str:
        """Return a cell as text, "" where it has no value; remark what hardly is one. Raises RejectError."""
        return self._looked_at(self.text_of(self.raw(column), column or ""), column)

    def _looked_at(self, text: str, column: str | None) -> str:
        if looks_empty(text):
            self.remarks.add(LOOKS_EMPTY, f"{text!r} of column {column!r}")
        return text

    def text_of(self, value: Any, column: str) -> str:
        """Return a value of a column as text. Raises RejectError for a list or an object."""
        text = _as_text(value, column)
        if text in self.spelling.no_value:
            self.remarks.add(f"no_value:{text}", f"column {column!r}")
            return ""
        return text

    def doubted(self, column: str | None) -> str:
        """Return a cell as text, and remark what looks as if it meant no value."""
        text = self.text(column)
        if may_mean_none(text):
            self.remarks.add(f"doubtful:{text}", f"column {column!r}")
        return text

    def number(self, column: str | None) -> float | None:
        """Return a cell as a finite number, None where it has no value. Raises RejectError."""
        return self._number(self.raw(column), column or "", lambda text: number_of(text, self.spelling.decimal_mark))

    def price(self, column: str | None) -> tuple[float | None, str]:
        """Return the amount of a price and its currency, None and "" where a cell has no value. Raises RejectError.

        Of several prices in a list, as of variants, it is the lowest.
        """
        value = self.raw(column)
        parts = [*flattened(value)] if isinstance(value, list) else [value]
        found = [price for part in parts if (price := self._price(part, column or ""))]
        return min(found, key=itemgetter(0), default=(None, ""))

    def _price(self, value: Any, column: str) -> tuple[float, str] | None:
        mark = self.spelling.decimal_mark
        amount = self._number(value, column, lambda text: price_of(text, mark)[0])
        if amount is None or not isinstance(value, str):
            return None if amount is None else (amount, "")
        if mark is None and may_be_thousands(value):
            self.remarks.add(MAY_BE_THOUSANDS, f"{value!r} of column {column!r}")
        return amount, price_of(trimmed(value), mark)[1]

    def _number(self, value: Any, column: str, read: Callable[[str], float]) -> float | None:
        text = self._looked_at(self.text_of(value, column), column)
        if not text:
            return None
        try:
            number = float(value) if isinstance(value, int | float | Decimal) else read(text)
        except NotANumberError as error:
            raise RejectError("bad_number", f"column {column!r} holds {text[:SHOWN]!r}{self._fix(error)}") from None
        if not math.isfinite(number) or isinstance(value, bool):
            raise RejectError("bad_number", f"column {column!r} holds {text[:SHOWN]!r}")
        return number

    def _fix(self, error: NotANumberError) -> str:
        mark = self.spelling.decimal_mark
        if not error.marks:
            return ""
        if len(error.marks) > 1:
            return ", which is another number with '.' before decimals than with ','; set catalogue.decimal_mark"
        right, now = error.marks[0], f" = {mark!r}" if mark else ", if it is not set, is '.'"
        return f"; catalogue.decimal_mark{now}: is it {right!r} in this feed?"

    def listed(self, column: str) -> Any:
        """Return a cell as the file has it, or the list that its text is, as programs write one."""
        value = self.raw(column)
        return list_of(trimmed(value)) if isinstance(value, str) else value

    def texts(self, column: str, separator: str | None, parts_of: Parts = addresses_of) -> list[str]:
        """Return the texts of a cell that is a list, also of lists, or that a separator splits. Raises RejectError."""
        value = self.listed(column)
        parts = [*flattened(value)] if isinstance(value, list) else [self.text(column)]
        texts = [self.text_of(part, column) for part in parts]
        return [text for one in texts for part in parts_of(one, separator) if (text := self.text_of(part, column))]

    def item_id(self, column: str) -> str:
        """Return a cell as an item's id. Raises RejectError."""
        value = self.raw(column)
        if isinstance(value, float) and abs(value) >= EXACT_FLOATS:
            raise RejectError("bad_item_id", f"{value!r} has lost digits as a floating-point number; write ids as text")
        if isinstance(value, bool | date):
            raise RejectError("bad_item_id", f"a {type(value).__name__} is no id")
        text = unicodedata.normalize("NFC", visible(self.text(column)))  # macOS names files in another form
        if not text:
            word = trimmed(str(value or ""))[:SHOWN]
            raise RejectError("no_item_id", "the item id is empty" + (f": {word!r} means no value" if word else ""))
        if _OF_FLOAT.fullmatch(text) and isinstance(value, str):
            self.remarks.add(FLOAT_IDS, repr(text))
        if _ROUNDED.fullmatch(text):
            raise RejectError("bad_item_id", f"{text!r} was rounded by a spreadsheet; export ids as text")
        if len(text) > 512 or any(ord(c) < 32 for c in text):
            raise RejectError("bad_item_id", f"{text[:SHOWN]!r} is too long or holds control characters")
        return text

    def moment(self, column: str | None, default: float, now: float) -> float:
        """Return a cell as seconds since 1970, `default` where it has no value. Raises RejectError."""
        text = visible(self.text(column))
        if not text or is_no_date(text):
            return default
        try:
            seconds = seconds_of(self.raw(column), text, self.spelling.date_format)
        except (ValueError, OverflowError) as error:
            form = self.spelling.date_format
            also = f", nor of the form {form!r}" if form else "; catalogue.date_format can name another form"
            if is_days(text):
                also = "; if it is a spreadsheet's count of days, export dates as text"
            raise RejectError(
                "bad_date", f"{text[:SHOWN]!r} is neither ISO 8601 nor seconds since 1970{also}"
            ) from error
        if seconds is None:
            return default
        if not 0 <= seconds < YEAR_2200:
            raise RejectError("bad_date", f"{text[:SHOWN]!r} lies outside 1970 to 2200")
        if seconds > now + DAY_S:
            today = datetime.fromtimestamp(now, UTC).isoformat(timespec="minutes")
            raise RejectError("future_date", f"{text[:SHOWN]!r} is more than a day ahead of {today}")
        return round(seconds, 6)  # as it is stored: what is read again must not look older than itself


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, Number) and value != value)


def _kind(value: Any, column: str) -> str:
    if isinstance(value, dict):
        return f"an object with fields such as {f'{column}.{next(iter(value), "")}'!r}"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def _as_text(value: Any, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return trimmed(value)
    if isinstance(value, bytes):
        try:
            return trimmed(value.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise RejectError("bad_utf8", f"column {column!r} holds bytes that are not UTF-8") from error
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return str(int(value))
    if isinstance(value, list) and len(value) <= 1:
        return _as_text(value[0] if value else None, column)
    if not isinstance(value, bool | Number | date | UUID):
        raise RejectError("bad_text", f"column {column!r} holds {_kind(value, column)}, not a text")
    return str(value)
