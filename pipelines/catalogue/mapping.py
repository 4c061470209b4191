"""A raw row and a column mapping -> an item with its photos, or a reject with a reason code. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.config import CatalogueSection, Columns, Media
from pipelines.tables.taxonomy import fold_spelling

MAX_DEPTH = 8
YEAR_2200 = 7_258_118_400  # seconds since 1970; feeds that count milliseconds lie beyond it
DELETE_WORDS = frozenset({"1", "true", "t", "yes", "y", "delete", "deleted", "d"})
REJECT_CODES = [
    "bad_row",
    "bad_utf8",
    "no_item_id",
    "bad_item_id",
    "no_category",
    "deep_category",
    "no_photo",
    "bad_number",
    "bad_date",
    "bad_split",
    "bad_box",
    "conflicting_duplicate",
    "unknown_item",
]


class RejectError(Exception):
    """A row is rejected: a code of REJECT_CODES, and a detail that names the value."""

    def __init__(self, code: str, detail: str, item_id: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.item_id = code, detail, item_id


@dataclass(frozen=True)
class Photo:
    """One photo of an item as the feed names it; `box` is left, top, right, bottom in pixels."""

    image_uri: str
    role: str
    split: str | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Item:
    """One row of a feed in our terms; `updated_at` in seconds since 1970, `deleted` when the feed says it is gone."""

    item_id: str
    updated_at: float
    deleted: bool = False
    group_id: str = ""
    category: tuple[str, ...] = ()
    title: str = ""
    price: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, float] = field(default_factory=dict)
    photos: tuple[Photo, ...] = ()


def needed_columns(columns: Columns) -> dict[str, str]:
    """Return the feed's columns that the mapping needs: {feed column: config key that names it}."""
    wanted: dict[str, str] = {}
    for key, value in columns.model_dump(exclude={"photo_separator", "category_separator"}).items():
        if isinstance(value, str):
            wanted[value] = key
        elif isinstance(value, list):
            wanted.update(dict.fromkeys(value, key))
        elif isinstance(value, dict):
            wanted.update({name: f"{key}.{ours}" for ours, name in value.items()})
    return wanted


def map_row(values: Mapping[str, Any], section: CatalogueSection, default_time: float) -> Item:
    """Return the item of a row. Raises RejectError."""
    columns = section.columns
    item_id = _item_id(values.get(columns.item_id))
    try:
        updated_at = _time(values.get(columns.updated_at), default_time) if columns.updated_at else default_time
        if columns.deleted and _text(values.get(columns.deleted)).lower() in DELETE_WORDS:
            return Item(item_id, updated_at, deleted=True)
        photos = _photos(values, section)
        if not photos and section.media is None:
            raise RejectError("no_photo", "the row names no photo")
        return Item(
            item_id=item_id,
            updated_at=updated_at,
            group_id=_text(values.get(columns.group_id)) if columns.group_id else "",
            category=_category(values, columns),
            title=_text(values.get(columns.title)) if columns.title else "",
            price=_number(values, columns.price) if columns.price else None,
            attributes={k: v for k, name in columns.attributes.items() if (v := _name(values.get(name)))},
            signals={k: n for k, name in columns.signals.items() if (n := _number(values, name)) is not None},
            photos=photos,
        )
    except RejectError as error:
        raise RejectError(error.code, error.detail, item_id) from None


def map_media(values: Mapping[str, Any], media: Media, split_names: Mapping[str, str]) -> tuple[str, Photo]:
    """Return (item_id, photo) of a row of the media table. Raises RejectError."""
    columns = media.columns
    item_id = _item_id(values.get(columns.item_id))
    try:
        uri = _text(values.get(columns.photo))
        if not uri:
            raise RejectError("no_photo", f"column {columns.photo!r} is empty")
        role = _text(values.get(columns.role)) if columns.role else ""
        split = _split(values.get(columns.split), split_names) if columns.split else None
        return item_id, Photo(uri, role or media.role, split, _box(values, columns.box))
    except RejectError as error:
        raise RejectError(error.code, error.detail, item_id) from None


def _item_id(value: Any) -> str:
    text = _text(value)
    if not text:
        raise RejectError("no_item_id", "the item id is empty")
    if len(text) > 512 or any(ord(c) < 32 for c in text):
        raise RejectError("bad_item_id", f"{text[:40]!r} is too long or holds control characters")
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _name(value: Any) -> str:
    return fold_spelling(_text(value))


def _number(values: Mapping[str, Any], column: str) -> float | None:
    text = _text(values.get(column))
    if not text:
        return None
    try:
        number = float(text)
    except ValueError as error:
        raise RejectError("bad_number", f"column {column!r} holds {text[:40]!r}") from error
    if not math.isfinite(number):
        raise RejectError("bad_number", f"column {column!r} holds {text[:40]!r}")
    return number


def _time(value: Any, default: float) -> float:
    text = _text(value)
    if not text:
        return default
    try:
        seconds = _seconds(value, text)
    except (ValueError, OverflowError) as error:
        raise RejectError("bad_date", f"{text[:40]!r} is neither ISO 8601 nor seconds since 1970") from error
    if not 0 <= seconds < YEAR_2200:
        raise RejectError("bad_date", f"{text[:40]!r} lies outside 1970 to 2200; numbers are seconds since 1970")
    return round(seconds, 6)  # as it is stored: what is read again must not look older than itself


def _seconds(value: Any, text: str) -> float:
    if text.replace(".", "", 1).isdigit() and len(text) > 8:
        return float(text)
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _category(values: Mapping[str, Any], columns: Columns) -> tuple[str, ...]:
    if isinstance(columns.category, str):
        whole = values.get(columns.category)
        parts: Sequence[Any] = (
            whole if isinstance(whole, list) else _text(whole).split(columns.category_separator or "\0")
        )
    else:
        parts = [values.get(name) for name in columns.category]
    path: list[str] = []
    for part in map(_name, parts):
        if not part:
            break  # a path of uneven depth ends at its first empty level
        path.append(part)
    if not path:
        raise RejectError("no_category", "the category is empty")
    if len(path) > MAX_DEPTH:
        raise RejectError("deep_category", f"{len(path)} levels, the limit is {MAX_DEPTH}")
    return tuple(path)


def _photos(values: Mapping[str, Any], section: CatalogueSection) -> tuple[Photo, ...]:
    columns = section.columns
    names = [columns.photos] if isinstance(columns.photos, str) else columns.photos
    uris: list[str] = []
    for value in (values.get(name) for name in names):
        many = value if isinstance(value, list) else _text(value).split(columns.photo_separator or "\0")
        uris += [uri for uri in map(_text, many) if uri]
    role = _text(values.get(columns.role)) if columns.role else ""
    split = _split(values.get(columns.split), section.split_names) if columns.split else None
    return tuple(Photo(uri, role or section.default_role, split) for uri in dict.fromkeys(uris))


def _split(value: Any, names: Mapping[str, str]) -> str | None:
    text = _text(value)
    if not text:
        return None
    if text not in names:
        raise RejectError("bad_split", f"{text[:40]!r} is not in catalogue.split_names ({', '.join(names)})")
    return names[text]


def _box(values: Mapping[str, Any], columns: Sequence[str] | None) -> tuple[float, float, float, float] | None:
    if not columns:
        return None
    sides = [_number(values, name) for name in columns]
    if all(side is None for side in sides):
        return None
    if len(sides) != 4 or any(side is None for side in sides):
        raise RejectError("bad_box", f"a box is four numbers, not {sides}")
    left, top, right, bottom = (float(side or 0) for side in sides)
    if not (0 <= left < right and 0 <= top < bottom):
        raise RejectError("bad_box", f"{sides} is no box: left < right and top < bottom, none negative")
    return left, top, right, bottom
