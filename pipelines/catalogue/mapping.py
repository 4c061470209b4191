"""A raw row and a column mapping -> an item with its photos, or a reject with a reason code. Pure functions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from pipelines.catalogue.availability import IN_STOCK, OUT_OF_STOCK, availability_of
from pipelines.catalogue.categories import category_path
from pipelines.catalogue.currencies import currency_of
from pipelines.catalogue.deletion import says_gone
from pipelines.catalogue.photo_cells import photos_of
from pipelines.catalogue.photo_uris import photo_uri
from pipelines.catalogue.values import SHOWN, Cells, RejectError, Remarks, Spelling
from pipelines.config import CatalogueSection, Columns, Media
from pipelines.config.shop import listed
from pipelines.shop_files.uri import PHOTO_ENDING
from pipelines.tables.spelling import fold_spelling, visible

SEVERAL_PHOTOS = "several_photos"
UNKNOWN_AVAILABILITY = "availability"
SHOWN_OUT_OF_STOCK = "shown_out_of_stock"
"""The remark on rows whose item is out of stock and shown all the same."""
"""The remark on words that do not tell whether an item can be had, by word."""
_BEST_FIRST = (IN_STOCK, "backorder", "preorder", OUT_OF_STOCK)
OWN_LEVEL = "own_level"
"""The remark on categories whose last level is the title of the item, as in breadcrumbs."""
_SEVERAL = re.compile(
    rf"{PHOTO_ENDING}(?:\?[^\s,;|]*)?\s*[\s,;|]\s*[^\s,;|].*{PHOTO_ENDING}\b|[\s,;|](?:https?|gs|file)://",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Photo:
    """One photo of an item as the feed names it; `box` is left, top, right, bottom in pixels.

    Its `role` is "" where the row does not say it, and it is not told yet.
    """

    image_uri: str
    role: str
    split: str | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Item:
    """One row of a feed in our terms; `updated_at` in seconds since 1970, `deleted` when the feed says it is gone.

    `availability` is what the feed says of it where items are flagged, and why an item is gone that is out of stock.
    `currency` is a code of ISO 4217, or what the shop writes where none can be told, "" where it says none.
    """

    item_id: str
    updated_at: float
    deleted: bool = False
    group_id: str = ""
    category: tuple[str, ...] = ()
    title: str = ""
    price: float | None = None
    currency: str = ""
    availability: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, float] = field(default_factory=dict)
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True)
class Mapper:
    """Maps rows to items as a config says. `now` (seconds since 1970) is what dates may be a day ahead of."""

    section: CatalogueSection
    now: float = math.inf
    remarks: Remarks = field(default_factory=Remarks)
    """What was noticed in the rows so far."""

    def item_id(self, values: Mapping[str, Any], column: str) -> str:
        """Return the item's id in a row. Raises RejectError."""
        return self._cells(values).item_id(column)

    def said(self, values: Mapping[str, Any], column: str) -> str:
        """Return what a cell says, of whatever type, "" where it has no value."""
        try:
            return Cells(values, self.spelling).text(column)
        except RejectError:
            return repr(values[column])

    def item(self, values: Mapping[str, Any], default_time: float) -> Item:
        """Return the item of a row. Raises RejectError."""
        cells, columns = self._cells(values), self.section.columns
        item_id = cells.item_id(columns.item_id)
        try:
            updated_at = cells.moment(columns.updated_at, default_time, self.now)
            if says_gone(cells, self.section):
                return Item(item_id, updated_at, deleted=True)
            availability = self._availability(cells)
            if availability == OUT_OF_STOCK and self.section.out_of_stock == "remove":
                return Item(item_id, updated_at, deleted=True, availability=availability)
            item = self._present(item_id, updated_at, cells, columns)
            return replace(item, availability=availability) if self.section.out_of_stock == "flag" else item
        except RejectError as error:
            raise RejectError(error.code, error.detail, item_id) from None

    def media(self, values: Mapping[str, Any], media: Media) -> tuple[str, Photo]:
        """Return (item_id, photo) of a row of the media table. Raises RejectError."""
        cells, columns = self._cells(values), media.columns
        item_id, uri = cells.item_id(columns.item_id), ""
        try:
            texts = photos_of(text := cells.text(columns.photo), None, self.remarks)
            uri = photo_uri(texts[0] if len(texts) == 1 else text, self.section, self.remarks)
            if not uri:
                raise RejectError("no_photo", f"column {columns.photo!r} is empty")
            role = cells.text(columns.role) or media.role
            return item_id, Photo(uri, role, self._split(cells, columns.split), _box(cells, columns.box))
        except RejectError as error:
            raise RejectError(error.code, error.detail, item_id, uri) from None

    def _cells(self, values: Mapping[str, Any]) -> Cells:
        return Cells(values, self.spelling, self.remarks)

    @cached_property
    def needed(self) -> dict[str, str]:
        """The columns that are read: {column: the key that names it}."""
        return self.section.columns.names

    @cached_property
    def spelling(self) -> Spelling:
        """How the shop writes its values."""
        section = self.section
        return Spelling(frozenset(section.no_value), section.decimal_mark, section.date_format)

    def _present(self, item_id: str, updated_at: float, cells: Cells, columns: Columns) -> Item:
        photos = self._photos(cells, columns)
        if not photos and self.section.media is None:
            raise RejectError("no_photo", "the row names no photo")
        category, title = category_path(cells, columns), cells.doubted(columns.title)
        if category[-1].casefold() == fold_spelling(title).casefold():
            cells.remarks.add(OWN_LEVEL, repr(category)[: 4 * SHOWN])
        price, currency = _price(cells, columns)
        return Item(
            item_id=item_id,
            updated_at=updated_at,
            group_id=visible(cells.doubted(columns.group_id)),
            category=category,
            title=title,
            price=price,
            currency=currency,
            attributes={k: v for k, name in columns.attributes.items() if (v := fold_spelling(cells.text(name)))},
            signals={k: n for k, name in columns.signals.items() if (n := cells.number(name)) is not None},
            photos=photos,
        )

    def _availability(self, cells: Cells) -> str:
        """Return whether an item can be had, "" where it is not asked for, or not known.

        Where nobody has said that all are shown, that one which is cannot be had is a remark, and cells that cannot be
        read are no matter.
        """
        if self.section.out_of_stock != "keep":
            return self._stock(cells, doubts=True)[0]
        if "out_of_stock" in self.section.model_fields_set:
            return ""
        with suppress(RejectError):
            found, said = self._stock(cells, doubts=False)
            if found == OUT_OF_STOCK:
                cells.remarks.add(SHOWN_OUT_OF_STOCK, repr(said[:SHOWN]))
        return ""

    def _stock(self, cells: Cells, *, doubts: bool) -> tuple[str, str]:
        """Return what the first column says that says something, and its words; words that are not known are `doubts`.

        Of several values, as of variants, an item can be had if one can.
        """
        for column in listed(self.section.columns.availability):
            texts = cells.texts(column, None)
            told = [availability_of(text) for text in texts]
            for text in (text for text, known in zip(texts, told, strict=True) if known is None and doubts):
                cells.remarks.add(f"{UNKNOWN_AVAILABILITY}:{text[:SHOWN].casefold()}", f"column {column!r}")
            if texts:
                return min((one for one in told if one), key=_BEST_FIRST.index, default=""), texts[0]
        return "", ""

    def _photos(self, cells: Cells, columns: Columns) -> tuple[Photo, ...]:
        parts_of = partial(photos_of, remarks=self.remarks)
        names, mark = columns.photo_columns, columns.photo_separator
        texts = (text for name in names for text in cells.texts(name, mark, parts_of))
        uris = [uri for text in texts if (uri := photo_uri(text, self.section, self.remarks))]
        if columns.photo_separator is None:
            _remark_several(cells, uris)
        role = cells.text(columns.role)
        split = self._split(cells, columns.split)
        return tuple(Photo(uri, role, split) for uri in dict.fromkeys(uris))

    def _split(self, cells: Cells, column: str | None) -> str | None:
        text, names = cells.text(column), self.section.split_names
        if not text:
            return None
        if text not in names:
            raise RejectError("bad_split", f"{text[:SHOWN]!r} is not in catalogue.split_names ({', '.join(names)})")
        return names[text]


def _price(cells: Cells, columns: Columns) -> tuple[float | None, str]:
    """Return the first price above 0 that several columns say, as a sale's before the regular one; 0 if none is.

    With it comes the currency that it names, or else that of the column of currencies.
    """
    prices = [cells.price(name) for name in listed(columns.price)]
    known = [price for price in prices if price[0] is not None]
    amount, currency = next((price for price in known if price[0]), known[-1] if known else (None, ""))
    if amount is None:
        return None, ""
    currency = currency or currency_of(cells.text(columns.currency))
    if currency:
        cells.remarks.add(f"currency:{currency}", f"{amount:g}")
    return amount, currency


def _remark_several(cells: Cells, uris: Sequence[str]) -> None:
    """Remark a cell that looks like several photos with something between them."""
    for uri in uris:
        if _SEVERAL.search(uri):
            cells.remarks.add(SEVERAL_PHOTOS, repr(uri[: 2 * SHOWN]))


def _box(cells: Cells, columns: Sequence[str] | None) -> tuple[float, float, float, float] | None:
    if not columns:
        return None
    sides = [cells.number(name) for name in columns]
    if all(side is None for side in sides):
        return None
    if len(sides) != 4 or any(side is None for side in sides):
        raise RejectError("bad_box", f"a box is four numbers, not {sides}")
    left, top, right, bottom = (float(side or 0) for side in sides)
    if not (0 <= left < right and 0 <= top < bottom):
        raise RejectError("bad_box", f"{sides} is no box: left < right and top < bottom, none negative")
    return left, top, right, bottom
