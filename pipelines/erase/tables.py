"""Rows taken out of tables: whole files are replaced, units by units in which the rows are blank."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.erase.subject import Subject, digests_of
from pipelines.store import Store, StoreError, UnitTable, parquet
from pipelines.store.units import KEYS_SUFFIX

OF_ITEMS: Final = ("item_id", "similar_item_id")
WORDS: Final = "detail"
"""The column of rejects that is words."""
GONE: Final = "(erased)"


def read_table(store: Store, name: str) -> pa.Table:
    """Return a table of any kind that the store holds. Raises StoreError for one that is damaged."""
    with store.open(name) as file:
        try:
            return pa.ipc.open_file(file).read_all() if name.endswith(".arrow") else parquet.decoded(file)
        except (pa.ArrowException, OSError) as error:
            raise StoreError(
                f"{store.uri}/{name} is damaged ({error}), so nobody can tell what it holds; restore it, or remove it "
                "and what refers to it, and erase again"
            ) from error


def about(table: pa.Table, subject: Subject) -> np.ndarray:
    """Return which rows are about the items, or their photos, bool `[rows]`."""
    wanted = {name: pa.array(subject.item_ids, pa.string()) for name in OF_ITEMS}
    wanted |= {"image_uri": pa.array(subject.uris, pa.string()), "digest": digests_of(subject)}
    rows = np.zeros(len(table), bool)
    for name in set(table.column_names) & wanted.keys():
        found = pc.is_in(table[name], wanted[name].cast(table.schema.field(name).type))
        rows |= found.to_numpy(zero_copy_only=False).astype(bool)
    return rows


def mention(subject: Subject) -> re.Pattern[str]:
    """Return what words about other things say of the items: ids in quotes, addresses and digests of their photos."""
    ids = "|".join(re.escape(repr(item_id)) for item_id in subject.item_ids)
    others = "|".join(map(re.escape, (*subject.uris, *subject.digests)))
    return re.compile(rf"{ids}|(?<![^\s'\"(:,])(?:{others})(?![^\s'\"):,;])" if others else ids)


def clean_table(store: Store, name: str, subject: Subject) -> bool:
    """Take rows out of a table that is read by its columns, and mentions out of the others; tell whether it had any."""
    table = read_table(store, name)
    rows = about(table, subject)
    kept, mentioned = table.filter(pa.array(~rows)), False
    if WORDS in kept.column_names:
        words = kept[WORDS].to_pylist()
        without = [None if text is None else mention(subject).sub(GONE, text) for text in words]
        mentioned = without != words
        kept = kept.set_column(kept.column_names.index(WORDS), kept.schema.field(WORDS), pa.array(without, pa.string()))
    if rows.any() or mentioned:
        store.put(name, parquet.encoded(kept))
    return bool(rows.any()) or mentioned


def clean_units(store: Store, prefix: str, subject: Subject) -> int:
    """Take the rows out of a table of units; return how many files had any.

    Other tables name rows by their place in a unit, so those of photos that go are blank in its data, and have no key.
    """
    units, named, changed = UnitTable(store, prefix), set[str](), 0
    for unit_id in units.unit_ids():
        keys = units.read_keys(unit_id)
        rows = about(keys, subject)
        if rows.any():
            units.rewrite(unit_id, keys.filter(pa.array(~rows)), _blanked(units, unit_id, keys, rows))
            changed += 1
        if b"data" in (keys.schema.metadata or {}):
            named.add(units.data_name(unit_id))
    return changed + _remove_unnamed(store, prefix, named, subject)


def _remove_unnamed(store: Store, prefix: str, named: set[str], subject: Subject) -> int:
    """Remove data that no keys name, of a worker or an erasure that was killed, where it holds the photos."""
    doomed = [
        entry.name
        for entry in store.list(prefix)
        if entry.name.endswith(".parquet")
        and entry.name.count("/") == prefix.count("/") + 1
        and not entry.name.endswith(KEYS_SUFFIX)
        and entry.name not in named
        and about(read_table(store, entry.name), subject).any()
    ]
    for name in doomed:
        store.delete(name)
    return len(doomed)


def _blanked(units: UnitTable, unit_id: str, keys: pa.Table, rows: np.ndarray) -> pa.Table | None:
    if b"data" not in (keys.schema.metadata or {}):
        return None
    data = units.read_rows(unit_id)
    places = keys["row"].to_numpy()[rows]
    gone = np.zeros(len(data), bool)
    gone[places[places >= 0]] = True
    mask = pa.array(gone)
    columns = [pc.if_else(mask, _blank(column.type), column) for column in data.columns]
    return pa.table(columns, schema=data.schema)


def _blank(kind: pa.DataType) -> pa.Scalar:
    """Return what stands in place of what was erased: zeros of a fixed width, for columns are read as one array."""
    return pa.scalar(bytes(kind.byte_width) if pa.types.is_fixed_size_binary(kind) else None, kind)
