"""What the log of hidden items comes to, for those who read it once and those who follow it.

Owns the sums, `hidden/sums/<n>.parquet`: all that is hidden after entry n. A reader starts from the newest and reads
the entries behind it alone, however long the log is. A sum is made of entries that stay, so one may be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import BinaryIO, Final, NamedTuple

import pyarrow as pa

from pipelines.hidden.entries import HIDE, PREFIX, Entry, entries_after
from pipelines.store import Store, parquet
from pipelines.store.sums import Sums

SUM = pa.schema([("item_id", pa.string()), ("reason", pa.string()), ("at", pa.string()), ("by", pa.string())])
ENTRY_COST: Final = 100
"""An entry takes as long to read as so many of its items."""
DUE_AT: Final = 10_000


class HiddenItem(NamedTuple):
    """Why an item is hidden, since when (ISO 8601, UTC), and by whom."""

    reason: str
    at: str
    by: str


@dataclass(frozen=True)
class Hidden:
    """The items that are hidden after entry `number` of the log.

    `behind` is what it costs to read the entries behind the newest sum.
    """

    number: int = 0
    items: Mapping[str, HiddenItem] = field(default_factory=lambda: MappingProxyType({}))
    behind: int = 0

    def __contains__(self, item_id: str) -> bool:
        return item_id in self.items

    @cached_property
    def item_ids(self) -> frozenset[str]:
        """The ids of the items."""
        return frozenset(self.items)

    def newer(self, store: Store) -> Hidden:
        """Return what the log says now: this very object where nothing was appended.

        That costs one request, so a service may ask every second. Raises StoreError for a damaged entry.
        """
        entries = list(entries_after(store, self.number))
        return self.after(*entries) if entries else self

    def after(self, *entries: Entry) -> Hidden:
        """Return the state after the next entries of the log."""
        items = dict(self.items)
        for entry in entries:
            for item_id in entry.item_ids:
                if entry.action == HIDE:
                    items.setdefault(item_id, HiddenItem(entry.reason, entry.at, entry.by))
                else:
                    items.pop(item_id, None)
        behind = self.behind + sum(ENTRY_COST + len(entry.item_ids) for entry in entries)
        return Hidden(self.number + len(entries), MappingProxyType(items), behind)


def read_hidden(store: Store) -> Hidden:
    """Return which items are hidden now. Raises StoreError for a damaged sum or entry."""
    return _sums(store).newest(_read_sum, Hidden()).newer(store)


def sum_up(store: Store, hidden: Hidden) -> None:
    """Keep a sum, where there is enough behind the last one. Killed here, the next change of the log makes it."""
    if hidden.behind < DUE_AT:
        return
    ids = sorted(hidden.items)
    rows = [(item_id, *hidden.items[item_id]) for item_id in ids]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SUM)
    table = pa.table([pa.array(column, pa.string()) for column in columns], schema=SUM)
    _sums(store).keep(hidden.number, parquet.encoded(table))


def _sums(store: Store) -> Sums:
    return Sums(store, PREFIX, "parquet")


def _read_sum(number: int, file: BinaryIO) -> Hidden:
    columns = parquet.decoded(file, SUM.names).to_pydict()
    items = map(HiddenItem, columns["reason"], columns["at"], columns["by"])
    return Hidden(number, MappingProxyType(dict(zip(columns["item_id"], items, strict=True))))
