"""What a unit has fetched so far: small files beside the plan, so that a rerun asks for nothing twice.

A part holds what became of some of the unit's rows, by their place in it; with `keep_originals` the bytes as
well. Parts go when the unit is committed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from pipelines.preprocess.outcomes import Outcome
from pipelines.store import Store, UnitTable, unit_id_of
from pipelines.tables.buckets import read_parquet, write_parquet
from pipelines.tables.schemas import DIGEST, ORIGINAL_DATA, ORIGINAL_KEYS
from transforms.photo import Prepared

PART = pa.schema(
    [
        ("place", pa.int32()),
        ("digest", DIGEST),
        ("kept", pa.bool_()),
        ("source_code", pa.string()),
        ("code", pa.string()),
        ("fingerprint", pa.string()),
        ("asked", pa.bool_()),
        ("jpeg", pa.binary()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("phash", pa.binary(8)),
        ("original", pa.binary()),
    ]
)
ORIGINALS = "originals"
MAX_ORIGINAL_BYTES = 64 << 20
"""Of the originals that are committed together."""


class Parts:
    """The parts of one unit, below the folder of the run's stage."""

    def __init__(self, store: Store, prefix: str, unit_id: str) -> None:
        self._store, self._folder = store, f"{prefix}/parts/{unit_id}"

    def write(self, outcomes: Mapping[int, Outcome], originals: Mapping[int, bytes]) -> None:
        """Write what became of some rows, whole or not at all."""
        rows = [_row(place, outcome, originals.get(place)) for place, outcome in sorted(outcomes.items())]
        name = f"{self._folder}/{min(outcomes):06d}-{uuid.uuid4().hex[:12]}.parquet"
        write_parquet(self._store, name, pa.Table.from_pylist(rows, PART))

    def read(self) -> dict[int, Outcome]:
        """Return what became of the rows so far, by their place."""
        return {row["place"]: _outcome(row) for row in self._rows([n for n in PART.names if n != "original"])}

    def places(self) -> set[int]:
        """Return the places of the rows that are done."""
        return {row["place"] for row in self._rows(["place"])}

    def originals(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the digests and bytes of the originals that were kept, part by part."""
        yield from (
            (row["digest"], row["original"])
            for row in self._rows(["digest", "original"])
            if row["original"] is not None and row["digest"] is not None
        )

    def drop(self) -> None:
        """Remove the parts, whose unit is committed."""
        for entry in list(self._store.list(self._folder)):
            self._store.delete(entry.name)

    def _rows(self, columns: list[str]) -> Iterator[dict[str, Any]]:
        for name in sorted(entry.name for entry in self._store.list(self._folder)):
            yield from read_parquet(self._store, name, columns).to_pylist()


def commit_originals(store: Store, originals: Iterable[tuple[bytes, bytes]]) -> None:
    """Commit originals (digest, bytes) as units of the table of originals, some megabytes each."""
    batch, size = dict[bytes, bytes](), 0
    for digest, data in originals:
        if size + len(data) > MAX_ORIGINAL_BYTES and batch:
            _commit(store, batch)
            batch, size = {}, 0
        size += len(data) if digest not in batch else 0
        batch[digest] = data
    if batch:
        _commit(store, batch)


def _commit(store: Store, batch: Mapping[bytes, bytes]) -> None:
    digests = list(batch)
    keys = {"digest": digests, "code": [""] * len(digests), "row": list(range(len(digests)))}
    data = {"digest": digests, "original": list(batch.values())}
    UnitTable(store, ORIGINALS).commit(
        unit_id_of(digests), pa.table(keys, ORIGINAL_KEYS), pa.table(data, ORIGINAL_DATA), row_group_rows=16
    )


def _row(place: int, outcome: Outcome, original: bytes | None) -> dict[str, Any]:
    prepared = outcome.prepared
    return {
        "place": place,
        "digest": outcome.digest,
        "kept": outcome.kept,
        "source_code": outcome.source_code,
        "code": outcome.code,
        "fingerprint": outcome.fingerprint,
        "asked": outcome.asked,
        "jpeg": prepared and prepared.jpeg,
        "width": prepared and prepared.width,
        "height": prepared and prepared.height,
        "phash": prepared and prepared.phash,
        "original": original,
    }


def _outcome(row: dict[str, Any]) -> Outcome:
    jpeg = row["jpeg"]
    prepared = None if jpeg is None else Prepared(jpeg, row["width"], row["height"], row["phash"])
    names = ("digest", "source_code", "code", "kept", "fingerprint", "asked")
    return Outcome(prepared=prepared, **{name: row[name] for name in names})
