"""The rows of a feed that are about an item, found again in the files as they are now.

A catalogue keeps no rows, so the files are read once more, whole, by what reads them for the catalogue: this is the one
step of a trace that takes as long as the feed is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pipelines.catalogue.arrivals import DELTAS, MEDIA, Arrival, MediaArrival, Mention, Rejected
from pipelines.catalogue.availability import OUT_OF_STOCK
from pipelines.catalogue.deltas import order, read_record
from pipelines.catalogue.feeds import FeedFile, Feeds, find_feeds
from pipelines.catalogue.formats.base import FeedError, Notation
from pipelines.catalogue.headers import columns_of
from pipelines.catalogue.records import Reader, unpacked
from pipelines.catalogue.rows import read_rows
from pipelines.catalogue.summary import Summary
from pipelines.config import Config
from pipelines.store import Log, Store
from pipelines.tables.buckets import bucket_of
from pipelines.trace.catalogued import moment
from pipelines.trace.facts import Row

READ, CHANGED, NEW, PASSED_OVER = "read", "changed", "new", "passed_over"


@dataclass(frozen=True)
class FoundRows:
    """The rows of an item, and what of the feeds could not be read."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def find_rows(config: Config, store: Store, item_id: str, buckets: int) -> FoundRows:
    """Return the rows of an item in the feeds as they are now."""
    _, head = Log(store, "catalogue/log").head()
    record = read_record(store, head["catalogue_id"]) if head and config.catalogue.deltas else None
    now = time.time()
    try:
        feeds = find_feeds(config, now, head.get("positions"), record, deltas_after="")
    except FeedError as error:
        return FoundRows((), (f"the feeds cannot be read now: {error}",))
    reader, found, notes = Reader(config.catalogue, buckets, now), list[Row](), list[str]()
    for file in feeds.files:
        state = _state(file, feeds, head, record)
        try:
            records = list(_records(reader, file, item_id, buckets))
            found += [_row(record, file, state) for record in records if not isinstance(record, Mention)]
            if any(isinstance(record, Mention) for record in records):
                found += _damaged(config, file, state, item_id)
        except FeedError as error:
            notes.append(str(error))
    return FoundRows(tuple(found), tuple(notes))


def _records(reader: Reader, file: FeedFile, item_id: str, buckets: int) -> Iterator[Any]:
    wanted = bucket_of(item_id, buckets)
    for part in reader(file):
        if not isinstance(part, Summary) and part[0] == wanted:
            yield from (record for record in unpacked(part[1]) if _is_about(record, item_id))


def _is_about(record: Any, item_id: str) -> bool:
    return (record.item.item_id if isinstance(record, Arrival) else record.item_id) == item_id


def _damaged(config: Config, file: FeedFile, state: str, item_id: str) -> Iterator[Row]:
    """Yield the damaged rows of a file that may be an item's; what told of them does not say where they stand."""
    section = config.catalogue
    for row in read_rows(file.file, Notation.of(section), columns_of(section, file.feed)):
        if row.code and item_id in row.may_name:
            detail = f"{row.detail}; the row may be the item's"
            yield Row(f"{file.path}:{row.place}", file.feed, state, row.code, detail)


def _row(record: Arrival | MediaArrival | Rejected, file: FeedFile, state: str) -> Row:
    if isinstance(record, Rejected):
        return Row(record.source, file.feed, state, record.code, record.detail, record.image_uri)
    if isinstance(record, MediaArrival):
        return Row(record.source, file.feed, state, photos=(record.photo.image_uri,))
    item = record.item
    at = moment(datetime.fromtimestamp(item.updated_at, UTC))
    uris = tuple(photo.image_uri for photo in item.photos)
    sold_out = item.deleted and item.availability == OUT_OF_STOCK
    told = Row(record.source, file.feed, state, updated_at=at, photos=uris)
    return replace(told, deleted=item.deleted, out_of_stock=sold_out)


def _state(file: FeedFile, feeds: Feeds, head: dict[str, Any], record: Any) -> str:
    """Tell how a file stands to what the newest catalogue has read."""
    if file.feed != DELTAS:
        known = head.get("inputs", {}).get("media" if file.feed == MEDIA else "snapshot", [])
        return READ if file.digest in known else CHANGED if known else NEW
    if file.path in (record or {}):
        return CHANGED if file.path in feeds.deltas.changed else READ
    position = head.get("positions", {}).get(DELTAS, "")
    return PASSED_OVER if position and order(file.path) <= order(position) else NEW
