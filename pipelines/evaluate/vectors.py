"""Stored vectors as arrays.

Owns the reading of embedding units by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.store import Store, UnitTable
from pipelines.tables.arrays import Floats
from pipelines.tables.arrow import flat

OUTPUTS = pa.schema(
    [
        ("digest", pa.binary(32)),
        ("embedding", pa.binary()),
        ("hash", pa.binary()),
        ("category_slots", pa.list_(pa.int32())),
        ("category_probabilities", pa.list_(pa.float32())),
        ("model_id", pa.string()),
    ]
)
STORED = OUTPUTS.names[:-1]


@dataclass(frozen=True)
class Vectors:
    """What a model said of photos.

    `embeddings` float32 `[n, dim]`, L2-normalised; `hashes` uint8 `[n, bytes]`; `slots` int32 `[n, levels * top]` and
    `probabilities` float32 beside them: the most probable categories of every level, level by level. `model_ids`: who
    said it.
    """

    digests: list[bytes]
    embeddings: Floats
    hashes: npt.NDArray[np.uint8]
    slots: npt.NDArray[np.int32]
    probabilities: Floats
    model_ids: list[str]

    def __len__(self) -> int:
        return len(self.digests)


def read_outputs(store: Store, space_id: str, model_id: str, unit_id: str, rows: Sequence[int]) -> pa.Table:
    """Return rows of an embedding unit, in the order asked for, as `OUTPUTS`."""
    table = UnitTable(store, f"embeddings/{space_id}/{model_id}").read_rows(unit_id, rows, STORED)
    table = table.append_column("model_id", pa.array([model_id] * len(table), pa.string()))
    return pa.table([flat(table[field.name]).cast(field.type) for field in OUTPUTS], schema=OUTPUTS)


def read_embeddings(store: Store, space_id: str, model_id: str, unit_id: str) -> Floats:
    """Return all embeddings of a unit, float32 `[rows, dim]`."""
    table = UnitTable(store, f"embeddings/{space_id}/{model_id}").read_rows(unit_id, None, ["embedding"])
    return as_floats(table["embedding"])


def as_vectors(table: pa.Table) -> Vectors:
    """Return `OUTPUTS` as arrays."""
    return Vectors(
        table["digest"].to_pylist(),
        as_floats(table["embedding"]),
        _matrix(table["hash"], np.dtype(np.uint8)),
        _lists(table["category_slots"], np.dtype(np.int32)),
        _lists(table["category_probabilities"], np.dtype(np.float32)),
        table["model_id"].to_pylist(),
    )


def as_floats(column: pa.ChunkedArray) -> Floats:
    """Return little-endian float16 vectors as float32 `[n, dim]`."""
    return _matrix(column, np.dtype("<f2")).astype(np.float32)


def _matrix(column: pa.ChunkedArray, dtype: np.dtype) -> npt.NDArray:
    values = column.to_pylist()
    width = len(values[0]) // dtype.itemsize if values else 0
    return np.frombuffer(b"".join(values), dtype).reshape(len(values), width)


def _lists(column: pa.ChunkedArray, dtype: np.dtype) -> npt.NDArray:
    values = column.to_pylist()
    return np.array(values, dtype).reshape(len(values), -1) if values else np.zeros((0, 0), dtype)
