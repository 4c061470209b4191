"""What a text says as a number or a price. Pure functions.

Programs write 1299.5; spreadsheets and shops also 1,299.50 and 1.299,50 and 1 299,50, prices with their currency.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from typing import Final, Literal

from pipelines.catalogue.currencies import CODES, currency_of

DecimalMark = Literal[".", ","]
_PROGRAM: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_EITHER: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_DASH: Final = "\\-\N{EN DASH}\N{EM DASH}"
"""Shops write 19,- and 19.-- where there are no cents, and 19/- in India and East Africa."""


def _pattern(mark: str, other: str) -> re.Pattern[str]:
    groups = (
        rf"[1-9][0-9]{{0,2}}(?P<gap>[{other} '\N{{RIGHT SINGLE QUOTATION MARK}}])(?:[0-9]{{2,3}}(?P=gap))*[0-9]{{3}}"
    )
    return re.compile(
        rf"(?P<whole>[+-]?(?:{groups}|[0-9]+)?)(?:[{mark}](?:(?P<part>[0-9]*)|[{_DASH}]{{1,2}}))?(?:/[{_DASH}=])?"
        r"(?P<power>[eE][+-]?[0-9]+)?"
    )


_NUMBER: Final[Mapping[DecimalMark, re.Pattern[str]]] = {".": _pattern(".", ","), ",": _pattern(",", ".")}
_SIGNS: Final = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) == "Sc")
_CURRENCY: Final = rf"(?:[^\W\d_]{{0,3}}[{re.escape(_SIGNS)}][^\W\d_]{{0,3}}|[^\W\d_]{{1,6}}(?:\.[^\W\d_]{{1,2}})?\.?)"
_PRICE: Final = re.compile(rf"({_CURRENCY})?\s*([+-]?[0-9.,](?:.*?[0-9.,=/{_DASH}])?)\s*({_CURRENCY})?")
_SWEDISH: Final = re.compile(rf"([0-9][0-9 ]*):([0-9]{{2}}|[{_DASH}]{{1,2}})")
"""Where there is no decimal mark between crowns and ore, as in 49:90 and 12:-."""
_COINS: Final = re.compile(r"([0-9]+) ?(p|¢)")
"""Whole pence and cents, as British and American shops write prices below a pound and a dollar."""
_MARKS: Final = {"\N{MINUS SIGN}": "-", "\N{ARABIC THOUSANDS SEPARATOR}": "'"}
_CODE: Final = re.compile(r"[A-Z]{3}")
_LATIN = [
    "dkr",
    "fr",
    "ft",
    "kc",
    "kr",
    "kč",
    "lei",
    "lv",
    "nkr",
    "r",
    "rm",
    "rp",
    "rs",
    "sfr",
    "skr",
    "tl",
    "zl",
    "zł",
]
_ASIAN = ["円", "元", "圆", "圓", "원", "บาท", "đ", "د.إ", "ر.س", "د.ك", "ر.ق", "د.ب", "ر.ع", "ج.م", "د.م", "د.ت"]
_ASIAN += ["درهم", "ريال", "دينار", "جنيه", "ریال", "تومان"]
_NAMES: Final = frozenset([*_LATIN, *_ASIAN, "р", "руб", "грн", "лв"])
"""Currencies as shops write them that are neither a sign nor the three capitals of ISO 4217."""


class NotANumberError(ValueError):
    """A text is no number; `marks` are the decimal marks with which it would be one."""

    def __init__(self, marks: tuple[DecimalMark, ...] = ()) -> None:
        super().__init__()
        self.marks = marks


def number_of(text: str, mark: DecimalMark | None) -> float:
    """Return the number that a text says, with or without marks between its groups of digits.

    Where no decimal mark is set it is the point, as programs write it, and what has another meaning with a comma, as
    1,299, is no number. Raises NotANumberError.
    """
    text = plain_number(text, mark)
    if mark is None and _PROGRAM.fullmatch(text):
        return float(text)
    read = {one: number for one in _NUMBER if (number := _read(text, one)) is not None}
    wanted = mark or "."
    if wanted not in read or (mark is None and len({*read.values()}) > 1):
        raise NotANumberError(tuple(read))
    return read[wanted]


def price_of(text: str, mark: DecimalMark | None) -> tuple[float, str]:
    """Return the amount and the currency, by its code where that can be told, "" where the text names none.

    Raises NotANumberError.
    """
    text = plain_number(text, mark)
    if coins := _COINS.fullmatch(text):
        return int(coins[1]) / 100, "GBP" if coins[2] == "p" else ""
    found = _PRICE.fullmatch(text)
    if not found:
        raise NotANumberError
    before, number, behind = found.groups(default="")
    names = [name.rstrip(".") for name in (behind, before) if name]
    if not all(map(_is_currency, names)):
        raise NotANumberError
    told = next(filter(_CODE.fullmatch, names), names[0] if names else "")
    if parts := _SWEDISH.fullmatch(number):
        number = f"{parts[1]}{mark or '.'}{parts[2]}"
    return number_of(number, mark), currency_of(told)


def may_be_thousands(text: str) -> bool:
    """Tell whether a price, as 1.299, would be a thousand times as much where a comma is the decimal mark."""
    found = _PRICE.fullmatch(plain_number(text))
    return bool(found and _EITHER.fullmatch(found[2]))


def plain_number(text: str, mark: DecimalMark | None = None) -> str:
    """Return a text with blanks, digits, marks and signs of one kind each, and none that only turn its direction."""
    if text.isascii():
        return text.strip()
    plain = "".join(map(_of_one_kind, unicodedata.normalize("NFKC", text)))
    return plain.replace("\N{ARABIC DECIMAL SEPARATOR}", mark or ".").strip()


def _of_one_kind(c: str) -> str:
    if c.isdecimal():
        return str(unicodedata.decimal(c))
    return "" if unicodedata.category(c) == "Cf" else _MARKS.get(c, c)


def _read(text: str, mark: DecimalMark) -> float | None:
    """Return what a text says where `mark` is before the decimals."""
    found = _NUMBER[mark].fullmatch(text)
    digits = re.sub(r"[^0-9+-]", "", found["whole"]) + "." + (found["part"] or "") if found else ""
    return float(digits + (found["power"] or "")) if found and digits.strip("+-.") else None


def _is_currency(name: str) -> bool:
    is_code = bool(_CODE.fullmatch(name)) or name.upper() in CODES
    return is_code or any(c in _SIGNS for c in name) or name.casefold() in _NAMES
