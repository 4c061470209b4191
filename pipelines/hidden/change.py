"""Hiding items and showing them again: one more entry of the log, unless it is so already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import StageError
from pipelines.hidden.entries import HIDE, PREFIX, Entry
from pipelines.hidden.state import Hidden, read_hidden, sum_up
from pipelines.runs.owner import person
from pipelines.store import Log, Store
from pipelines.store.opening import read_format
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.spelling import trimmed, visible
from trainer.files import is_utf8

ATTEMPTS: Final = 1_000
"""Each that fails is another writer's success."""


@dataclass(frozen=True)
class Change:
    """What a command came to: the number of the newest entry, which items it changed, and how many were so already."""

    number: int
    changed: tuple[str, ...]
    unchanged: int
    hidden: Hidden


def ids_of(texts: Iterable[str]) -> list[str]:
    """Return item ids as the catalogue has them, each once, in order.

    Raises StageError when there is none, or one that is no UTF-8.
    """
    ids = list(dict.fromkeys(filter(None, (visible(trimmed(text)) for text in texts))))
    bad = next((item_id for item_id in ids if not is_utf8(item_id)), None)
    if bad is not None:
        raise StageError(f"the item id {bad!r} is not UTF-8, as ids of a catalogue are; check where it comes from")
    if not ids:
        raise StageError("there is no item id in what was given; name items, or a file with one id a line")
    return ids


def change(store: Store, action: str, item_ids: list[str], reason: str) -> Change:
    """Hide items, or show them again. Of items that are so already nothing is noted, and the first reason stays.

    Safe under other writers: what was appended meanwhile is read before the next attempt. Raises StoreError where
    there is no store, and StageError when others are always faster.
    """
    read_format(store)
    hidden = read_hidden(store)
    for _ in range(ATTEMPTS):
        wanted = tuple(item_id for item_id in item_ids if (item_id in hidden) != (action == HIDE))
        if not wanted:
            return Change(hidden.number, (), len(item_ids), hidden)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = Entry(action, wanted, reason, at, person())
        if Log(store, PREFIX).append(hidden.number + 1, entry.as_json()):
            hidden = hidden.after(entry)
            sum_up(store, hidden)
            return Change(hidden.number, wanted, len(item_ids) - len(wanted), hidden)
        hidden = hidden.newer(store)
    raise StageError(f"{ATTEMPTS} other changes of {PREFIX}/ were faster; run the command again")


def unknown_to_catalogue(store: Store, item_ids: Iterable[str]) -> list[str]:
    """Return, in order, the items that the newest catalogue does not hold; all of them where there is none."""
    _, head = Log(store, "catalogue/log").head()
    ids = list(item_ids)
    if not head:
        return ids
    buckets, by_bucket = read_format(store).buckets, dict[int, list[str]]()
    for item_id in ids:
        by_bucket.setdefault(bucket_of(item_id, buckets), []).append(item_id)
    known: set[str] = set()
    for bucket, asked in by_bucket.items():
        table = read_bucket(store, f"catalogue/{head['catalogue_id']}/items", bucket, ITEMS, ["item_id"])
        known |= {*table.filter(pc.is_in(table["item_id"], pa.array(asked, pa.string())))["item_id"].to_pylist()}
    return [item_id for item_id in ids if item_id not in known]
