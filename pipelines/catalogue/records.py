"""A feed file -> records by bucket, and what there is to say of the file as a whole."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

from pipelines.catalogue.arrivals import MEDIA, SNAPSHOT, Arrival, MediaArrival, Mention, Rejected
from pipelines.catalogue.availability import OUT_OF_STOCK
from pipelines.catalogue.continued import Continuation
from pipelines.catalogue.deletion import GONE
from pipelines.catalogue.feeds import FeedFile
from pipelines.catalogue.formats.base import FeedError, Notation, RawRow
from pipelines.catalogue.headers import columns_of
from pipelines.catalogue.mapping import Mapper
from pipelines.catalogue.rows import read_rows
from pipelines.catalogue.shops import plain
from pipelines.catalogue.summary import Summary
from pipelines.catalogue.values import RejectError
from pipelines.config import CatalogueSection
from pipelines.hidden.erased import NOTHING_ERASED, Erased
from pipelines.tables.buckets import bucket_of

ROWS_A_BATCH = 4096
ROWS_A_FILE = 1 << 40
CUT_OFF = "cut_off"
"""The remark on files of a snapshot that end before they should, and so may not name all items."""
UNSEEN = "unseen"
"""The remark on columns that no row of a file has: JSON rows leave out what is empty."""
ERASED = "erased"
"""The code of rows of items that `visual-search erase` has removed."""
LEFT_OUT = frozenset({"no_item_id", "no_category", "no_photo"})
"""Of rows that may be only a part of what is said of their product."""

AnyRecord = Arrival | MediaArrival | Rejected | Mention


@dataclass(frozen=True)
class Reader:
    """Reads feed files as a config says; `now` in seconds since 1970. `limit` rows of a file are enough for a look.

    Of an item that was `erased` nothing is kept but that a row was about one.
    """

    section: CatalogueSection
    buckets: int
    now: float
    limit: int | None = None
    erased: Erased = NOTHING_ERASED

    def __call__(self, file: FeedFile) -> Iterator[tuple[int, bytes] | Summary]:
        """Yield (bucket, pickled records), and at the end what the rows of the file have in common."""
        mapper = Mapper(self.section, self.now)
        continuation = Continuation(mapper)
        summary, batch, size = Summary(), dict[int, list[AnyRecord]](), 0
        unseen = {*mapper.needed} - self.section.brought if file.feed == SNAPSHOT else set()
        for row in self._rows(file):
            if row.ends_early:
                _note_cut(file, mapper, row)
            for record in map(partial(self._allowed, file), self._records(file, row, continuation)):
                self._note(summary, file, record)
                batch.setdefault(bucket_of(_item_id(record), self.buckets), []).append(record)
                size += 1
            if unseen:
                unseen -= row.values.keys() | continuation.mapped.keys()
            if size >= ROWS_A_BATCH:
                yield from _packed(batch)
                batch, size = {}, 0
        yield from _packed(batch)
        for column in unseen:
            mapper.remarks.add(f"{UNSEEN}:{column}", file.path)
        summary.counts["files"] += file.feed == SNAPSHOT
        if file.feed != SNAPSHOT:
            mapper.remarks.forget(GONE)
        summary.remarks, summary.remarked = mapper.remarks.counts, mapper.remarks.examples
        yield summary

    def _rows(self, file: FeedFile) -> Iterator[RawRow]:
        rows = read_rows(file.file, Notation.of(self.section), columns_of(self.section, file.feed))
        if self.limit is None or file.feed != SNAPSHOT:
            return rows
        limit = self.limit
        return takewhile(lambda row: row.number <= limit, rows)

    def _records(self, file: FeedFile, row: RawRow, continuation: Continuation) -> Iterator[AnyRecord]:
        source, mapper = f"{file.path}:{row.place}", continuation.mapper
        try:
            if row.code:
                continuation.damaged()
                raise RejectError(row.code, row.detail, _id_of_damaged(row, file, mapper))
            if file.feed == MEDIA and self.section.media:
                yield MediaArrival(source, *mapper.media(row.values, self.section.media))
            else:
                yield self._arrival(file, row, source, continuation)
        except RejectError as error:
            yield Rejected(source, error.item_id, error.image_uri, error.code, error.detail, file.feed)
            if not error.item_id:
                yield from (Mention(file.feed, item_id) for item_id in row.may_name)

    def _allowed(self, file: FeedFile, record: AnyRecord) -> AnyRecord:
        """Return a record, or in place of one of an erased item a reject that says nothing of it."""
        if _item_id(record) not in self.erased:
            return record
        if isinstance(record, Mention):
            return Mention(file.feed, "")
        return Rejected(record.source, "", "", ERASED, "an item that was erased", file.feed)

    def _arrival(self, file: FeedFile, row: RawRow, source: str, continuation: Continuation) -> Arrival:
        try:
            continuation.mapped = plain(self.section.format, continuation.whole(row.values), self.now)
            item = continuation.mapper.item(continuation.mapped, file.modified_at)
        except RejectError as error:
            if error.code in LEFT_OUT:
                continuation.remark(row.values, source, sound=False)
            raise
        continuation.remark(row.values, source, sound=True)
        return Arrival(file.order * ROWS_A_FILE + row.number, source, file.feed, item, file.again)

    def _note(self, summary: Summary, file: FeedFile, record: AnyRecord) -> None:
        if isinstance(record, Mention):
            return
        summary.rows[file.feed] += 1
        if file.feed != SNAPSHOT:
            return
        if isinstance(record, Arrival):
            summary.newest_row = max(summary.newest_row, record.item.updated_at)
            summary.counts["gone"] += record.item.deleted and not record.item.availability
            summary.counts["out_of_stock"] += record.item.availability == OUT_OF_STOCK
        elif isinstance(record, Rejected) and not record.item_id and record.code != ERASED:
            summary.counts["unnamed"] += 1


def _note_cut(file: FeedFile, mapper: Mapper, row: RawRow) -> None:
    """Take note that a file was cut off. Raises FeedError for a media table, of which what lacks is withdrawn."""
    if file.feed == MEDIA:
        raise FeedError(f"{file.file}: {row.detail}; a media table is read whole: export it again")
    if file.feed == SNAPSHOT:
        mapper.remarks.add(CUT_OFF, f"{file.path}, {row.detail}")


def _id_of_damaged(row: RawRow, file: FeedFile, mapper: Mapper) -> str:
    """Return the id of a row that has one though it is damaged, else ""."""
    columns = columns_of(mapper.section, file.feed)
    try:
        return mapper.item_id(row.values, columns.item_id)
    except RejectError:
        return ""


def _item_id(record: AnyRecord) -> str:
    return record.item.item_id if isinstance(record, Arrival) else record.item_id


def _packed(batch: dict[int, list[AnyRecord]]) -> Iterator[tuple[int, bytes]]:
    yield from ((bucket, pickle.dumps(records)) for bucket, records in batch.items())


def unpacked(part: bytes) -> list[AnyRecord]:
    """Return the records of a part."""
    records: list[AnyRecord] = pickle.loads(part)  # noqa: S301 - packed a moment ago by the same pipeline
    return records
