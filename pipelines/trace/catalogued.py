"""What the catalogue made of an item: its bucket of each table is read, and of older catalogues that of rejects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.store import Log, Store
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import DELETES, ITEMS, ORIGINS, PHOTOS, REJECTS
from pipelines.trace.facts import DELETED, REJECTED, SHOWN, UNKNOWN, WAITING, Catalogued, Rejection
from pipelines.trace.laid import Overlaid
from pipelines.trace.scope import Scope


def rows_of_item(store: Store, folder: str, item_id: str, buckets: int, schema: pa.Schema) -> list[dict[str, Any]]:
    """Return the rows of an item in a table that is bucketed by item_id: one bucket is read."""
    table = read_bucket(store, folder, bucket_of(item_id, buckets), schema)
    found: list[dict[str, Any]] = table.filter(pc.equal(table["item_id"], item_id)).to_pylist()
    return found


def catalogued(store: Store, scope: Scope, item_id: str, buckets: int, overlaid: Overlaid) -> Catalogued:
    """Return what the catalogue of a scope holds of an item."""

    def rows(table: str, schema: pa.Schema) -> list[dict[str, Any]]:
        return rows_of_item(store, f"catalogue/{scope.catalogue_id}/{table}", item_id, buckets, schema)

    rejects = tuple(_rejections(rows("rejects", REJECTS), scope.number))
    for table, state in (("items", SHOWN), ("waiting", WAITING)):
        for row in rows(table, ITEMS):
            origin = next(iter(rows("origins", ORIGINS)), {})
            return replace(_held(state, row, origin.get("feed") or "", rejects), laid=overlaid.of(row, origin))
    for row in rows("deletes", DELETES):
        return Catalogued(DELETED, row.get("feed") or "", moment(row["deleted_at"]), rejects=rejects)
    rejects = rejects or _older_rejects(store, scope, item_id, buckets)
    return Catalogued(REJECTED if rejects else UNKNOWN, rejects=rejects)


def photos_of(store: Store, scope: Scope, item_id: str, buckets: int) -> list[dict[str, Any]]:
    """Return an item's photos (PHOTOS) as its catalogue names them."""
    return rows_of_item(store, f"catalogue/{scope.catalogue_id}/photos", item_id, buckets, PHOTOS)


def moment(at: datetime | None) -> str:
    """Return a time as ISO 8601 in UTC, "" of none."""
    return "" if at is None else at.isoformat(timespec="seconds")


def _held(state: str, row: dict[str, Any], feed: str, rejects: tuple[Rejection, ...]) -> Catalogued:
    return Catalogued(
        state,
        feed,
        moment(row["updated_at"]),
        category=tuple(row["category"] or ()),
        title=row["title"] or "",
        price=row["price"],
        currency=row.get("currency") or "",
        group_id=row["group_id"] or "",
        rejects=rejects,
    )


def _rejections(rows: list[dict[str, Any]], number: int) -> Iterator[Rejection]:
    yield from (Rejection(row["source"], row["code"], row["detail"], row["image_uri"], number) for row in rows)


def _older_rejects(store: Store, scope: Scope, item_id: str, buckets: int) -> tuple[Rejection, ...]:
    """Return the newest rejects of an item in catalogues before, of those that are kept still.

    A catalogue holds the rejects of what was read for it alone.
    """
    log = Log(store, "catalogue/log")
    for number in range(scope.number - 1, 0, -1):
        entry = log.entry(number)
        if not entry.get("rejects"):
            continue
        folder = f"catalogue/{entry['catalogue_id']}/rejects"
        if found := rows_of_item(store, folder, item_id, buckets, REJECTS):
            return tuple(_rejections(found, number))
    return ()
