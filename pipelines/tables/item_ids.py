"""Items by the ids that people type, and which of them the newest catalogue holds."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import StageError
from pipelines.store import Log, Store
from pipelines.store.opening import read_format
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.spelling import trimmed, visible
from trainer.files import is_utf8


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
