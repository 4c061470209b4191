"""Unit tables: large tables written by many workers, in which a unit is there whole or not at all.

A worker writes the data file under a name of its own, then creates `<unit_id>.keys.parquet`; that is the commit.
Readers start from keys files. A key in two units is legal: the smallest unit_id wins (`tables.first_of_each`).
"""

from __future__ import annotations

import hashlib
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.store import parquet
from pipelines.store.base import NotFoundError, Store, StoreError

KEYS_SUFFIX = ".keys.parquet"


def unit_id_of(keys: Iterable[bytes | str]) -> str:
    """Return the name of the unit of work on these keys, whatever their order: 16 hex digits."""
    digest = hashlib.sha256()
    for key in sorted(k.encode() if isinstance(k, str) else k for k in keys):
        digest.update(len(key).to_bytes(4, "big") + key)
    return digest.hexdigest()[:16]


Place = tuple[str, int]
"""A unit and a row in its data."""


def rows_by_unit(places: Iterable[Place]) -> dict[str, list[int]]:
    """Return the distinct rows of each unit, both sorted."""
    rows: dict[str, list[int]] = {}
    for unit, row in sorted(set(places)):
        rows.setdefault(unit, []).append(row)
    return rows


class UnitTable:
    """A table of units below a prefix of a store."""

    def __init__(self, store: Store, prefix: str) -> None:
        self.store, self.prefix = store, prefix

    def commit(self, unit_id: str, keys: pa.Table, data: pa.Table | None = None, *, row_group_rows: int = 512) -> bool:
        """Commit one unit; return False when it was there already (then nothing of this call is visible).

        `keys` holds the key columns, `code` and `row`; `data` the rows that `row` points into. The data file is removed
        when the commit is lost to another worker.
        """
        metadata = {"unit_id": unit_id}
        data_name = ""
        if data is not None:
            data_name = f"{self.prefix}/{unit_id}-{uuid.uuid4().hex[:12]}.parquet"
            encoded = parquet.encoded(data, "NONE", row_group_rows=row_group_rows)
            metadata |= {
                "data": data_name.rsplit("/", 1)[-1],
                "data_sha256": hashlib.sha256(encoded).hexdigest(),
                "rows": str(data.num_rows),
            }
            self.store.create(data_name, encoded)
        won = self.store.create(
            self._keys_name(unit_id), parquet.encoded(keys.replace_schema_metadata(metadata), row_group_rows=65536)
        )
        if not won and data_name:
            self.store.delete(data_name)
        return won

    def unit_ids(self) -> list[str]:
        """Return the ids of the committed units, smallest first."""
        names = (entry.name.rsplit("/", 1)[-1] for entry in self.store.list(self.prefix))
        return sorted(name.removesuffix(KEYS_SUFFIX) for name in names if name.endswith(KEYS_SUFFIX))

    def has(self, unit_id: str) -> bool:
        """Tell whether the unit is committed."""
        return self.store.exists(self._keys_name(unit_id))

    def read_keys(self, unit_id: str) -> pa.Table:
        """Return a unit's keys. Raises NotFoundError, and StoreError when the file is damaged."""
        table: pa.Table = self._open_keys(unit_id, parquet.decoded)
        return table

    def data_name(self, unit_id: str) -> str:
        """Return the name of a unit's data file. Raises NotFoundError when the unit is not there or holds no data."""
        metadata = self._metadata(unit_id)
        if b"data" not in metadata:
            raise NotFoundError(
                f"unit {unit_id} of {self.store.uri}/{self.prefix} has no data: all its keys are rejects"
            )
        return f"{self.prefix}/{metadata[b'data'].decode()}"

    def read_rows(
        self, unit_id: str, rows: Sequence[int] | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return rows of a unit's data, in the order asked for; only the row groups that hold them are read."""
        name = self.data_name(unit_id)
        with self.store.open(name) as file:
            try:
                return _read_rows(parquet.opened(file), rows, columns)
            except (pa.ArrowException, OSError) as error:
                raise StoreError(f"{self.store.uri}/{name} is damaged ({error}); {self._repair(unit_id)}") from error

    def drop(self, unit_id: str) -> None:
        """Take a unit's commit back: a new run makes its keys again, and `gc` removes the data in time."""
        self.store.delete(self._keys_name(unit_id))

    def rewrite(self, unit_id: str, keys: pa.Table, data: pa.Table | None) -> None:
        """Replace a unit by one with fewer keys, and with data of as many rows, of which some may be blank.

        The new data has a name of its own, and the keys name it: who reads meanwhile has the one unit or the other.
        Killed half-way it leaves data that no keys name, the new or the old.
        """
        metadata, old = self._metadata(unit_id), ""
        if data is not None:
            old = self.data_name(unit_id)
            with self.store.open(old) as file:
                row_group_rows = max(1, parquet.opened(file).metadata.row_group(0).num_rows)
            encoded = parquet.encoded(data, "NONE", row_group_rows=row_group_rows)
            name = f"{unit_id}-{uuid.uuid4().hex[:12]}.parquet"
            self.store.create(f"{self.prefix}/{name}", encoded)
            metadata |= {b"data": name.encode(), b"data_sha256": hashlib.sha256(encoded).hexdigest().encode()}
        table = keys.replace_schema_metadata(metadata)
        self.store.put(self._keys_name(unit_id), parquet.encoded(table, row_group_rows=65536))
        if old:
            self.store.delete(old)

    def verify(self, unit_id: str) -> None:
        """Read a unit's keys and data back and compare the data's sha256. Raises StoreError when they are damaged."""
        metadata = self.read_keys(unit_id).schema.metadata or {}
        if b"data" not in metadata:
            return
        name = f"{self.prefix}/{metadata[b'data'].decode()}"
        if hashlib.sha256(self.store.read(name)).hexdigest() != metadata[b"data_sha256"].decode():
            raise StoreError(f"{self.store.uri}/{name} does not match its checksum; {self._repair(unit_id)}")

    def _metadata(self, unit_id: str) -> dict[bytes, bytes]:
        return self._open_keys(unit_id, pq.read_schema).metadata or {}

    def _open_keys(self, unit_id: str, read: Callable[[BinaryIO], Any]) -> Any:
        name = self._keys_name(unit_id)
        try:
            file = self.store.open(name)
        except NotFoundError as error:
            raise NotFoundError(f"{error}; if it was deleted, a new run makes the unit again") from error
        with file:
            try:
                return read(file)
            except (pa.ArrowException, OSError) as error:
                raise StoreError(f"{self.store.uri}/{name} is damaged ({error}); {self._repair(unit_id)}") from error

    def _repair(self, unit_id: str) -> str:
        return f"delete {self.store.uri}/{self._keys_name(unit_id)}, and a new run makes the unit again"

    def _keys_name(self, unit_id: str) -> str:
        return f"{self.prefix}/{unit_id}{KEYS_SUFFIX}"


def _read_rows(file: pq.ParquetFile, rows: Sequence[int] | None, columns: Sequence[str] | None) -> pa.Table:
    if rows is None:
        return parquet.read(file, columns)
    starts, total = [], 0
    for group in range(file.num_row_groups):
        starts.append(total)
        total += file.metadata.row_group(group).num_rows
    for row in rows:
        if not 0 <= row < total:
            raise IndexError(f"row {row} is asked for of a unit that holds {total} rows")
    wanted = sorted({_group_of(starts, row) for row in rows})
    offsets, at = {}, 0
    for group in wanted:
        offsets[group] = at
        at += file.metadata.row_group(group).num_rows
    table = parquet.read(file, columns, wanted) if wanted else file.schema_arrow.empty_table()
    if not wanted and columns is not None:
        table = table.select(list(columns))
    positions = [offsets[group] + row - starts[group] for row in rows for group in (_group_of(starts, row),)]
    return table.take(pa.array(positions, pa.int64()))


def _group_of(starts: list[int], row: int) -> int:
    return bisect_right(starts, row) - 1
