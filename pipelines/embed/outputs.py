"""What a model says of photos, and how it is kept: one row a photo in an embedding unit.

Owns the encoding of vectors in Arrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.tables.arrays import Floats
from pipelines.tables.schemas import DIGEST, VECTOR_KEYS

VIEW = "full"
TOP = 3
"""How many categories of every level, and how many leaves, are kept."""

NO_SLOT = -1

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Outputs:
    """One forward pass over n photos.

    `embedding` float32 `[n, dim]`, L2-normalised; `hash` uint8 `[n, bits / 8]`; `slots` int32 and `probabilities`
    float32 `[n, (levels + 1) * 3]`: the most probable categories of every level, level by level, then leaves; best
    first.
    """

    embedding: Floats
    hash: npt.NDArray[np.uint8]
    slots: npt.NDArray[np.int32]
    probabilities: Floats

    def __len__(self) -> int:
        return len(self.embedding)

    def take(self, rows: npt.NDArray[Any]) -> Outputs:
        """Return some rows, by position or by a mask."""
        return Outputs(self.embedding[rows], self.hash[rows], self.slots[rows], self.probabilities[rows])

    def finite(self) -> npt.NDArray[np.bool_]:
        """Tell of every row whether it holds neither NaN nor infinity."""
        return np.isfinite(np.concatenate([self.embedding, self.probabilities], axis=1)).all(axis=1)


def join_outputs(parts: Sequence[Outputs]) -> Outputs:
    """Return the rows of at least one forward pass one after the other."""
    columns = ("embedding", "hash", "slots", "probabilities")
    return Outputs(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def top_categories(probabilities: Floats, slots: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], Floats]:
    """Return the slots and probabilities `[n, 3]` of the best columns of one level, equal ones by column.

    `slots` `[columns]` are the permanent slots that the columns stand for. A level of fewer than 3 columns is filled
    with slot -1 and probability 0.
    """
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
    missing = ((0, 0), (0, TOP - best.shape[1]))
    found = np.pad(slots[best], missing, constant_values=NO_SLOT)
    return found.astype(np.int32), np.pad(np.take_along_axis(probabilities, best, axis=1), missing).astype(np.float32)


def unit_tables(digests: pa.Array, codes: Sequence[str], outputs: Outputs | None) -> tuple[pa.Table, pa.Table | None]:
    """Return the keys and the data that a unit commits.

    `digests` and `codes` are those of all its photos; `outputs` the rows of those whose code is "", in order.
    """
    good = np.array([code == "" for code in codes], bool)
    rows = np.where(good, np.cumsum(good) - 1, -1).astype(np.int32)
    views = pa.array([VIEW] * len(digests), pa.string())
    keys = pa.table([digests.cast(DIGEST), views, pa.array(codes, pa.string()), pa.array(rows)], schema=VECTOR_KEYS)
    if outputs is None or not len(outputs):
        return keys, None
    chosen = pa.array(good)
    columns = {
        "digest": digests.cast(DIGEST).filter(chosen),
        "view": views.filter(chosen),
        "embedding": _fixed(outputs.embedding.astype("<f2")),
        "hash": _fixed(outputs.hash),
        "category_slots": _lists(outputs.slots),
        "category_probabilities": _lists(outputs.probabilities),
    }
    return keys, pa.table(columns)


def _fixed(rows: npt.NDArray[Any]) -> pa.Array:
    width = rows.shape[1] * rows.itemsize
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))]
    )


def _lists(rows: npt.NDArray[Any]) -> pa.Array:
    offsets = np.arange(0, rows.size + 1, rows.shape[1] or 1, dtype=np.int32) if rows.size else np.zeros(len(rows) + 1)
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(rows.reshape(-1)))
