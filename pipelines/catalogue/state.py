"""A bucket of the catalogue's state <-> its tables.

`items` and `photos` are what later stages read. `deletes`, `waiting` (items of which no photo is known) and `origins`
(which feed said what an item is, how many of its photos its own row names, and what the row says where the item is
shown otherwise) are for the next catalogue, and tell train what was corrected.
Catalogues of before these had columns and tables of their own are read too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pipelines.catalogue.arrivals import SNAPSHOT
from pipelines.catalogue.mapping import Item, Photo
from pipelines.store import Store
from pipelines.tables.buckets import read_bucket, write_bucket
from pipelines.tables.schemas import DELETES, ITEMS, ORIGINS, PHOTOS
from pipelines.tables.spelling import fold_spelling


@dataclass(frozen=True)
class Held:
    """What is held of an item: its row, with the photos that the row names, and those of the media table.

    `feed` is SNAPSHOT or DELTAS, whichever the row is of. `media` is None where an older catalogue does not tell whose
    photos they are; all are then in the row. `shown_as` is the item as later stages see it, None where that is as its
    row says; `is_corrected` tells that a correction of the shop's makes the difference.
    """

    item: Item
    feed: str
    media: tuple[Photo, ...] | None = ()
    shown_as: Item | None = None
    is_corrected: bool = False

    @property
    def shown(self) -> Item:
        """The item as later stages see it."""
        return self.shown_as or self.item

    @property
    def photos(self) -> tuple[Photo, ...]:
        """All photos of the item, those of its row first."""
        return self.item.photos + (self.media or ())

    @property
    def own_photos(self) -> int | None:
        """How many of its photos its row names, None where that is not known."""
        return None if self.media is None else len(self.item.photos)


@dataclass(frozen=True)
class Delete:
    """An item is gone: since when (seconds since 1970), and by which feed; a snapshot also deletes by not naming it.

    `feed` is None where an older catalogue does not tell.
    """

    at: float
    feed: str | None


@dataclass
class State:
    """A bucket of the catalogue by item id; an item without a photo is held, and not shown."""

    items: dict[str, Held] = field(default_factory=dict)
    deletes: dict[str, Delete] = field(default_factory=dict)

    def shown(self) -> dict[str, Held]:
        """Return the items that later stages see."""
        return {item_id: held for item_id, held in self.items.items() if held.photos}


def read_state(store: Store, catalogue_id: str, bucket: int, feed: str = SNAPSHOT) -> State:
    """Return a bucket of a catalogue, an empty one of ''.

    Where an older catalogue does not tell whose its items are, they count as those of `feed`: SNAPSHOT if there never
    were deltas, else DELTAS.
    """
    if not catalogue_id:
        return State()
    folder = f"catalogue/{catalogue_id}"
    photos: dict[str, list[Photo]] = {}
    for row in read_bucket(store, f"{folder}/photos", bucket, PHOTOS).to_pylist():
        box = tuple(row["box"]) if row["box"] else None
        photos.setdefault(row["item_id"], []).append(Photo(row["image_uri"], row["role"], row["split"], box))
    origins = {row["item_id"]: row for row in read_bucket(store, f"{folder}/origins", bucket, ORIGINS).to_pylist()}
    items = {}
    for table in ("items", "waiting"):
        for row in read_bucket(store, f"{folder}/{table}", bucket, ITEMS).to_pylist():
            item_id = row["item_id"]
            items[item_id] = _held(row, tuple(photos.get(item_id, ())), origins.get(item_id), feed)
    deletes = read_bucket(store, f"{folder}/deletes", bucket, DELETES).to_pylist()
    by = feed if feed == SNAPSHOT else None
    gone = {row["item_id"]: Delete(row["deleted_at"].timestamp(), row.get("feed", by)) for row in deletes}
    return State(items, gone)


def write_state(store: Store, catalogue_id: str, bucket: int, state: State) -> tuple[int, int]:
    """Write a bucket of a catalogue, sorted by item id; return the numbers of items and photos that are shown."""
    folder = f"catalogue/{catalogue_id}"
    held = [state.items[item_id] for item_id in sorted(state.items)]
    shown, waiting = [one for one in held if one.photos], [one for one in held if not one.photos]
    photos = [_photo_row(one.item, n, photo) for one in shown for n, photo in enumerate(one.photos)]
    gone = [
        {"item_id": item_id, "deleted_at": _moment(delete.at), "feed": delete.feed}
        for item_id, delete in sorted(state.deletes.items())
    ]
    origins = [_origin_row(one) for one in held]
    write_bucket(store, f"{folder}/photos", bucket, pa.Table.from_pylist(photos, PHOTOS))
    write_bucket(store, f"{folder}/deletes", bucket, pa.Table.from_pylist(gone, DELETES))
    write_bucket(store, f"{folder}/origins", bucket, pa.Table.from_pylist(origins, ORIGINS))
    if waiting:
        write_bucket(store, f"{folder}/waiting", bucket, _items_table(waiting))
    write_bucket(store, f"{folder}/items", bucket, _items_table(shown))
    return len(shown), len(photos)


def _held(row: dict[str, Any], photos: tuple[Photo, ...], origin: dict[str, Any] | None, feed: str) -> Held:
    own = origin["own_photos"] if origin else None
    shown = Item(
        item_id=row["item_id"],
        updated_at=row["updated_at"].timestamp(),
        group_id=row["group_id"],
        category=tuple(map(fold_spelling, row["category"])),
        title=row["title"],
        price=row["price"],
        currency=row.get("currency") or "",
        availability=row.get("availability") or "",
        attributes={name: fold_spelling(value) for name, value in row["attributes"]},
        signals=dict(row["signals"]),
        photos=photos[:own],
    )
    media = None if own is None else photos[own:]
    if origin is None or origin.get("said_category") is None:  # an older catalogue shows items as their rows say
        return Held(shown, origin["feed"] if origin else feed, media)
    said = {name: fold_spelling(value) for name, value in origin["said_attributes"]}
    item = replace(shown, category=tuple(map(fold_spelling, origin["said_category"])), attributes=said)
    return Held(item, origin["feed"], media, shown, bool(origin["is_corrected"]))


def _origin_row(held: Held) -> dict[str, Any]:
    said = held.item if held.shown_as else None
    return {
        "item_id": held.item.item_id,
        "feed": held.feed,
        "own_photos": held.own_photos,
        "said_category": list(said.category) if said else None,
        "said_attributes": sorted(said.attributes.items()) if said else None,
        "is_corrected": held.is_corrected,
    }


def _items_table(held: Iterable[Held]) -> pa.Table:
    return pa.Table.from_pylist([_item_row(one.shown) for one in held], ITEMS)


def _item_row(item: Item) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "group_id": item.group_id,
        "category": list(item.category),
        "title": item.title,
        "price": item.price,
        "currency": item.currency or None,
        "availability": item.availability or None,
        "attributes": sorted(item.attributes.items()),
        "signals": sorted(item.signals.items()),
        "updated_at": _moment(item.updated_at),
    }


def _photo_row(item: Item, position: int, photo: Photo) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "image_uri": photo.image_uri,
        "role": photo.role,
        "position": position,
        "split": photo.split,
        "box": list(photo.box) if photo.box else None,
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 6), UTC)
