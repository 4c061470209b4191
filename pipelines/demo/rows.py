"""Items -> rows of the snapshot feed as CSV bytes, and every way in which a row can be wrong.

Owns the feed's columns; writes no file.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from pipelines.demo.items import Item
from pipelines.demo.taxonomy import SEPARATOR

MAX_PHOTOS: Final = 4
PHOTO_COLUMNS: Final = tuple(f"image_{number}" for number in range(1, MAX_PHOTOS + 1))
COLUMNS: Final = (
    "sku", "parent_sku", "name", "category", "colour", "pattern", "material", "shape", "price", "sales", "rating",
    "updated", *PHOTO_COLUMNS,
)  # fmt: skip
STREET_COLUMNS: Final = ("sku", "image", "role", "left", "top", "right", "bottom")
CLICK_COLUMNS: Final = ("query", "image", "sku", "position", "clicked", "relevant")
Cells = list[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """How a row is spoilt: the code to expect ("" for a row that is rightly skipped), and cells -> cells.

    With `extra` the good row stays, and the spoilt one is added at the end of the feed.
    """

    code: str
    spoil: Callable[[Cells, Item], Cells]
    extra: bool = False


def cells_of(item: Item, photos: Sequence[str]) -> Cells:
    """Return the cells of an item under `COLUMNS`."""
    look = item.product.look
    images = [*photos, *[""] * (MAX_PHOTOS - len(photos))]
    return [
        item.sku, item.parent_sku, item.name, SEPARATOR.join(item.leaf.path), look.colour, look.pattern, look.material,
        item.product.shape, f"{item.price:.2f}", str(item.sales), f"{item.rating:.1f}",
        item.updated.strftime("%Y-%m-%dT%H:%M:%SZ"), *images,
    ]  # fmt: skip


def line_of(cells: Sequence[str]) -> bytes:
    """Return one CSV line; lone surrogates become the raw bytes they stand for, as in a file of another encoding."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode("utf-8", "surrogateescape")


def _with(column: str, value: str) -> Callable[[Cells, Item], Cells]:
    at = COLUMNS.index(column)
    return lambda cells, _item: [*cells[:at], value, *cells[at + 1 :]]


def _without_photos(cells: Cells, _: Item) -> Cells:
    return [*cells[:-MAX_PHOTOS], *[""] * MAX_PHOTOS]


def _older(cells: Cells, item: Item) -> Cells:
    earlier = item.updated - timedelta(days=30)
    old = _with("updated", earlier.strftime("%Y-%m-%dT%H:%M:%SZ"))(cells, item)
    return _with("name", f"{item.name} (old listing)")(_with("price", f"{item.price * 2:.2f}")(old, item), item)


def _other_name(cells: Cells, item: Item) -> Cells:
    return _with("name", f"{item.name} (another name)")(cells, item)


def _latin1(cells: Cells, item: Item) -> Cells:
    return _with("name", f"{item.name} \udce9dition")(cells, item)


def _deep(cells: Cells, item: Item) -> Cells:
    return _with("category", SEPARATOR.join(f"Level {number}" for number in range(12)))(cells, item)


BAD_ROWS: Final[Mapping[str, BadRow]] = MappingProxyType(
    {
        "missing_id": BadRow("no_item_id", _with("sku", "")),
        "control_character_id": BadRow("bad_item_id", lambda cells, item: [f"{item.sku}\x07", *cells[1:]]),
        "older_duplicate": BadRow("", _older, extra=True),
        "conflicting_duplicate": BadRow("conflicting_duplicate", _other_name, extra=True),
        "bad_utf8": BadRow("bad_utf8", _latin1),
        "empty_category": BadRow("no_category", _with("category", "")),
        "deep_category": BadRow("deep_category", _deep),
        "unparsable_price": BadRow("bad_number", _with("price", "12,5O EUR")),
        "infinite_price": BadRow("bad_number", _with("price", "inf")),
        "bad_date": BadRow("bad_date", _with("updated", "31/02/2026")),
        "no_photo": BadRow("no_photo", _without_photos),
        "short_row": BadRow("bad_row", lambda cells, _item: cells[:-3]),
        "long_row": BadRow("bad_row", lambda cells, _item: [*cells, "", "x"]),
    }
)
