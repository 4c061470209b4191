"""The hashes of a release's photos, read from the embedding units that its index was made of.

Units are read one after the other, each once. While that goes on, two numbers a photo are in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from pipelines.errors import StageError
from pipelines.export.schemas import hashes_schema
from pipelines.export.source import Source
from pipelines.runs.outputs import EmbedOutputs
from pipelines.store import UnitTable
from pipelines.tables.arrays import Array, Ints
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import DIGEST, RESOLVED_VECTORS

PART_ROWS: Final = 65_536


@dataclass(frozen=True)
class UnitRows:
    """Rows of one embedding unit: those of photos that are in the index."""

    model_id: str
    unit_id: str
    rows: Array


def unit_rows(source: Source) -> list[UnitRows]:
    """Return where the hash of every photo that goes out is, unit by unit. Raises StageError when one is nowhere."""
    vectors = source.outputs(EmbedOutputs).vectors
    units: dict[tuple[str, str], int] = {}
    shown = source.shown_rows()
    of_row, at = np.full(len(source.rows), -1, np.int32), np.zeros(len(source.rows), np.int32)
    for bucket, rows in _by_bucket(source, shown):
        resolved = read_bucket(source.store, vectors, bucket, RESOLVED_VECTORS)
        digests = pa.array([d.tobytes() for d in np.asarray(source.rows.digests[rows])], DIGEST)
        where = index_of(digests, resolved["digest"])
        if (where < 0).any():
            lost = digests[int(np.flatnonzero(where < 0)[0])].as_py().hex()
            raise StageError(
                f"photo {lost} of release {source.about.release_id} is missing in {vectors}: run a new release"
            )
        found = resolved.take(pa.array(where))
        names = zip(found["model_id"].to_pylist(), found["unit_id"].to_pylist(), strict=True)
        of_row[rows] = [units.setdefault(name, len(units)) for name in names]
        at[rows] = found["row"].to_numpy()
    of_row, at = of_row[shown], at[shown]
    order = np.lexsort((at, of_row))
    stops = np.searchsorted(of_row[order], np.arange(len(units)), side="right")
    rows_of = np.split(at[order], stops[:-1]) if units else []
    return [UnitRows(*name, rows) for name, rows in sorted(zip(units, rows_of, strict=True), key=lambda pair: pair[0])]


def parts(units: list[UnitRows]) -> Iterator[list[UnitRows]]:
    """Yield units in lots whose photos fill a part; a unit is never cut."""
    lot: list[UnitRows] = []
    for unit in units:
        lot.append(unit)
        if sum(len(one.rows) for one in lot) >= PART_ROWS:
            yield lot
            lot = []
    if lot:
        yield lot


def read_hashes(source: Source, lot: list[UnitRows]) -> Iterator[pa.Table]:
    """Yield a table of `hashes_schema` a unit."""
    schema = hashes_schema(source.about.bits)
    for unit in lot:
        table = UnitTable(source.store, f"embeddings/{source.about.space_id}/{unit.model_id}")
        table.verify(unit.unit_id)
        stored = table.read_rows(unit.unit_id, unit.rows.tolist(), ["digest", "hash"])
        photos = pa.array([digest.hex() for digest in stored["digest"].to_pylist()], pa.string())
        yield pa.table([photos, stored["hash"].combine_chunks().cast(schema.field("hash").type)], schema=schema)


def _by_bucket(source: Source, shown: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each bucket of digests with the rows in it that go out."""
    digests = source.rows.digests
    numbers = np.fromiter((bucket_of(digests[row].tobytes(), source.buckets) for row in shown), np.int16, len(shown))
    order = np.argsort(numbers, kind="stable")
    present, starts = np.unique(numbers[order], return_index=True)
    for bucket, rows in zip(present, np.split(shown[order], starts[1:]), strict=True):
        yield int(bucket), rows
