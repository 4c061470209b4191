"""A bucket of the catalogue's state: items with photos <-> the tables `items`, `photos` and `deletes`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pipelines.catalogue.mapping import Item, Photo
from pipelines.store import Store
from pipelines.tables.buckets import read_bucket, write_bucket
from pipelines.tables.schemas import DELETES, ITEMS, PHOTOS
from pipelines.tables.taxonomy import fold_spelling


def read_state(store: Store, catalogue_id: str, bucket: int) -> tuple[dict[str, Item], dict[str, float]]:
    """Return ({item_id: item}, {item_id: deleted_at}) of a bucket; both empty for the catalogue ''."""
    if not catalogue_id:
        return {}, {}
    folder = f"catalogue/{catalogue_id}"
    photos: dict[str, list[Photo]] = {}
    for row in read_bucket(store, f"{folder}/photos", bucket, PHOTOS).to_pylist():
        box = tuple(row["box"]) if row["box"] else None
        photos.setdefault(row["item_id"], []).append(Photo(row["image_uri"], row["role"], row["split"], box))
    items = {
        row["item_id"]: _item(row, tuple(photos.get(row["item_id"], ())))
        for row in read_bucket(store, f"{folder}/items", bucket, ITEMS).to_pylist()
    }
    deletes = read_bucket(store, f"{folder}/deletes", bucket, DELETES).to_pylist()
    return items, {row["item_id"]: row["deleted_at"].timestamp() for row in deletes}


def write_state(
    store: Store, catalogue_id: str, bucket: int, items: dict[str, Item], deletes: dict[str, float]
) -> tuple[int, int]:
    """Write a bucket of a catalogue, sorted by item id; return the numbers of items and photos."""
    folder = f"catalogue/{catalogue_id}"
    ordered = [items[item_id] for item_id in sorted(items)]
    photos = [_photo_row(item, position, photo) for item in ordered for position, photo in enumerate(item.photos)]
    gone = [{"item_id": item_id, "deleted_at": _moment(at)} for item_id, at in sorted(deletes.items())]
    write_bucket(store, f"{folder}/photos", bucket, pa.Table.from_pylist(photos, PHOTOS))
    write_bucket(store, f"{folder}/deletes", bucket, pa.Table.from_pylist(gone, DELETES))
    write_bucket(store, f"{folder}/items", bucket, pa.Table.from_pylist([_item_row(i) for i in ordered], ITEMS))
    return len(ordered), len(photos)


def _item(row: dict[str, Any], photos: tuple[Photo, ...]) -> Item:
    return Item(
        item_id=row["item_id"],
        updated_at=row["updated_at"].timestamp(),
        group_id=row["group_id"],
        category=tuple(map(fold_spelling, row["category"])),
        title=row["title"],
        price=row["price"],
        attributes={name: fold_spelling(value) for name, value in row["attributes"]},
        signals=dict(row["signals"]),
        photos=photos,
    )


def _item_row(item: Item) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "group_id": item.group_id,
        "category": list(item.category),
        "title": item.title,
        "price": item.price,
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
