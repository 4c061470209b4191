"""What the cells of a column hold, in the shares of them that are of a kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipelines.catalogue.dates import seconds_of
from pipelines.catalogue.lists import flattened, list_of, objects_of
from pipelines.catalogue.numbers import NotANumberError, price_of
from pipelines.config.words import NO_VALUE
from pipelines.shop_files.uri import PHOTO_ENDING
from pipelines.survey.draft.state_words import NO, YES
from pipelines.tables.spelling import trimmed

PICTURE = re.compile(rf"{PHOTO_ENDING}(?![a-z0-9])", re.IGNORECASE)
ADDRESS = re.compile(r"(?:https?:)?//\w", re.IGNORECASE)
NO_PHOTO = re.compile(
    r"\.(?:mp4|m4v|mov|webm|avi|mkv|ogv|wmv|mpe?g|m3u8|pdf|glb|gltf|usdz)(?=$|[?#])"
    r"|(?<=//)(?:www\.|player\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be|vimeo\.com)(?=/)",
    re.IGNORECASE,
)
"""What lists of media name beside photos: films, leaflets, models to turn."""
LEVELS = re.compile(r"\S\s*(?:::|[>/\\|»›→;])\s*\S")
_DAY = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})(?:[ T,]+\d{1,2}:\d{2}(?::\d{2})?)?\s*")
_MARKUP = re.compile(r"<(?:p|br|div|ul|li|b|span|strong|h\d|table)\b", re.IGNORECASE)
_FLOAT = re.compile(r"[0-9]+\.0|[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_EMPTY = frozenset(NO_VALUE)


@dataclass(frozen=True)
class Profile:
    """One column: the share of rows that are `filled`, of these of `distinct` ones and those with `several` texts.

    The rest are shares of all texts that are of a kind: `floats` are whole numbers as a program writes them that took
    them for others, 10000.0 or 4.00638E+12; `length` and `words` are means, `odd` is the first text that is
    no number.
    """

    name: str
    filled: float = 0.0
    distinct: float = 0.0
    several: float = 0.0
    values: int = 0
    pictures: float = 0.0
    addresses: float = 0.0
    numbers: float = 0.0
    decimals: float = 0.0
    floats: float = 0.0
    dates: float = 0.0
    flags: float = 0.0
    levels: float = 0.0
    markup: float = 0.0
    words: float = 0.0
    length: float = 0.0
    example: str = ""
    odd: str = ""

    @property
    def is_text(self) -> bool:
        """Whether cells are words: neither numbers, dates, addresses nor pictures."""
        return max(self.numbers, self.dates, self.pictures, self.addresses, self.markup) < 0.5 and self.filled > 0


def profiles(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Profile]:
    """Return what each column of some rows holds; columns of objects are left to the names of what is in them."""
    return {name: profile(name, [row.get(name) for row in rows]) for name in names}


def profile(name: str, cells: Sequence[Any]) -> Profile:
    """Return what the cells of a column hold."""
    texts = [text for cell in cells if (text := texts_of(cell))]
    flat = [text for of_cell in texts for text in of_cell]
    if not flat:
        return Profile(name)
    count, wholes, others = len(flat), {tuple(of) for of in texts}, [text for text in flat if not is_number(text)]
    return Profile(
        name,
        filled=len(texts) / len(cells),
        distinct=len(wholes) / len(texts),
        several=sum(len(of) > 1 for of in texts) / len(texts),
        values=len(wholes),
        pictures=sum(PICTURE.search(text) is not None for text in flat) / count,
        addresses=sum(ADDRESS.match(text) is not None for text in flat) / count,
        numbers=(count - len(others)) / count,
        decimals=sum("." in text or "," in text for text in flat if is_number(text)) / count,
        floats=sum(_FLOAT.fullmatch(text) is not None for text in flat) / count,
        dates=sum(map(is_date, flat)) / count,
        flags=sum(text.casefold() in YES | NO for text in flat) / count,
        levels=sum(LEVELS.search(text) is not None for text in flat) / count,
        markup=sum(_MARKUP.search(text) is not None for text in flat) / count,
        words=sum(len(text.split()) for text in flat) / count,
        length=sum(map(len, flat)) / count,
        example=flat[0],
        odd=next(iter(others), ""),
    )


def texts_of(cell: Any) -> list[str]:
    """Return the texts of a cell, of a list those of its elements; none where it has no value or holds objects."""
    if isinstance(cell, str) and cell[:1] in "[{":
        cell = [] if objects_of(cell) is not None else list_of(trimmed(cell))
    values = flattened(cell) if isinstance(cell, list) else [cell]
    texts = (trimmed(str(value)) for value in values if value is not None and not isinstance(value, dict))
    return [text for text in texts if text and text not in _EMPTY]


def text_of(cell: Any) -> str:
    """Return the first text of a cell, "" where it has none."""
    return next(iter(texts_of(cell)), "")


def has_text(row: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Tell whether one of some columns says something in a row."""
    return any(texts_of(row.get(name)) for name in names)


def is_number(text: str) -> bool:
    """Tell whether a text is a number or a price with either decimal mark."""
    return money_of(text) is not None


def money_of(text: str) -> tuple[float, str] | None:
    """Return the amount and the currency of a text, by either decimal mark; None where it is no number."""
    for mark in (None, ","):
        with suppress(NotANumberError):
            return price_of(text, mark)
    return None


def is_date(text: str) -> bool:
    """Tell whether a text is a date, in a form that the catalogue knows or may be told."""
    if _DAY.fullmatch(text):
        return True
    if len(text) < 8 or text.replace(".", "", 1).isdecimal():
        return False
    with suppress(ValueError, OverflowError):
        return seconds_of(text, text, None) is not None
    return False
