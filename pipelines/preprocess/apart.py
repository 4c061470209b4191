"""What pairs of curators' that are not alike have in common, and so links neither of the two. Pure.

A title, a group_id, a photo or a look that both items of a pair have says nothing of what belongs together, as little
as a common one does; of near-duplicates neither look links. What an item shares with others alone links it as before:
so two of a pair may still be in one group, over a third that is like both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.groups import GROUP, LOOK, PHOTO, TITLE
from pipelines.tables.alike import DISTANCE
from pipelines.tables.apart import Apart

COLUMNS: Final = {TITLE: "label", GROUP: "group_key", PHOTO: "photo_key", LOOK: "phash"}
WITHHELD = pa.schema([("item_id", pa.string()), ("kind", pa.int8()), ("key", pa.binary(8))])

Key = tuple[int, bytes]


def of_pairs(items: pa.Table, apart: Apart) -> pa.Table:
    """Return the rows of items (item_id and COLUMNS, a row a photo) that are of a pair, or show a photo of one."""
    photos = pa.array(sorted({bytes.fromhex(digest)[:8] for _, digest in apart.photos}), pa.binary(8))
    ids = pa.array(sorted({*apart.partners, *(item_id for item_id, _ in apart.photos)}), pa.string())
    held = pc.or_(
        pc.is_in(items["item_id"], value_set=ids), pc.is_in(items["photo_key"], value_set=photos).fill_null(False)
    )
    return items.filter(held).select(["item_id", *COLUMNS.values()])


def withheld(tables: Iterable[pa.Table], apart: Apart) -> pa.Table:
    """Return WITHHELD: the keys that link an item no more, given all rows of pairs."""
    keys, photos = defaultdict[str, set[Key]](set), defaultdict[bytes, set[Key]](set)
    for table in tables:
        for row in table.to_pylist():
            found = {(kind, row[name]) for kind, name in COLUMNS.items() if row[name] is not None}
            keys[row["item_id"]] |= found
            if row["photo_key"]:
                photos[row["photo_key"]] |= {key for key in found if key[0] in {PHOTO, LOOK}}
    rows = set[tuple[str, int, bytes]]()
    for one, other in apart.items:
        for item_id, mine, theirs in ((one, keys[one], keys[other]), (other, keys[other], keys[one])):
            rows |= {(item_id, *key) for key in _shared(mine, theirs)}
    for item_id, digest in apart.photos:
        rows |= {(item_id, *key) for key in _shared(keys[item_id], photos[bytes.fromhex(digest)[:8]])}
    return pa.Table.from_pylist([dict(zip(WITHHELD.names, row, strict=True)) for row in sorted(rows)], WITHHELD)


def without_withheld(items: pa.Table, kept_back: pa.Table) -> pa.Table:
    """Return rows of items in which what is withheld is null; a label is then the group_id's, or the item's own."""
    if not kept_back.num_rows:
        return items
    for kind in (GROUP, PHOTO, LOOK, TITLE):
        name = COLUMNS[kind]
        of_kind = kept_back.filter(pc.field("kind") == kind)
        back = {*zip(of_kind["item_id"].to_pylist(), of_kind["key"].to_pylist(), strict=True)}
        rows = zip(items["item_id"].to_pylist(), items[name].to_pylist(), strict=True)
        values = pa.array([None if row in back else row[1] for row in rows], pa.binary(8))
        if kind == TITLE:
            values = pc.coalesce(values, items["group_key"].combine_chunks(), items["item_key"].combine_chunks())
        items = items.set_column(items.schema.get_field_index(name), name, values)
    return items


def _shared(mine: set[Key], theirs: set[Key]) -> Iterator[Key]:
    """Yield which of an item's keys another has too, or looks like."""
    looks = [int.from_bytes(key) for kind, key in theirs if kind == LOOK]
    for kind, key in mine:
        if kind == LOOK:
            if any((int.from_bytes(key) ^ look).bit_count() <= DISTANCE for look in looks):
                yield kind, key
        elif (kind, key) in theirs:
            yield kind, key
