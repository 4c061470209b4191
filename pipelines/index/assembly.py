"""From what was gathered to an index folder in the store; runs on one worker.

Owns the reading of embedding units: vectors stream unit by unit into memory-mapped files of a temporary folder, in the
order in which they are stored.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from pipelines.errors import StageError
from pipelines.index.gallery import ROWS
from pipelines.jobs.jobs import Jobs
from pipelines.models.facts import ModelFacts
from pipelines.neighbours.folder import IndexInput, build_index
from pipelines.neighbours.manifest import FILE, file_sha256
from pipelines.neighbours.settings import IndexConfig
from pipelines.store import Store, UnitTable
from pipelines.tables.arrays import Array
from pipelines.tables.arrow import filled
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import INDEX_LINKS

COLUMNS = ["digest", "embedding", "hash", "category_slots", "category_probabilities"]


@dataclass(frozen=True)
class Assembly:
    """One index to build: what was gathered below `folder`, of which space, with what settings.

    A leaf that `model` never learned cannot be predicted: its codes are scanned by every query.
    """

    store: Store
    folder: str
    target: str
    model: ModelFacts
    config: IndexConfig
    buckets: int


def assemble(assembly: Assembly) -> None:
    """Build the index and publish its folder, the manifest last; one that is there stays."""
    if assembly.store.exists(f"{assembly.target}/{FILE}"):
        return
    with tempfile.TemporaryDirectory(prefix="visual-search-index-") as name:
        folder = Path(name)
        data = read_input(assembly, folder)
        build_index(folder / "index", data, assembly.config)
        publish(assembly.store, folder / "index", assembly.target)


def read_input(assembly: Assembly, folder: Path) -> IndexInput:
    """Return the arrays of an index, memory-mapped in `folder`."""
    rows = _table(assembly, "rows", ROWS).sort_by([(n, "ascending") for n in ("model_id", "unit_id", "row")])
    arrays: dict[str, Array] = {}
    for start, part in _units(rows):
        for name, values in _read_unit(assembly, part).items():
            if name not in arrays:
                shape = (rows.num_rows, values.shape[1])
                arrays[name] = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", values.dtype, shape)
            if arrays[name].shape[1] != values.shape[1]:
                raise StageError(
                    f"{name} of unit {part['unit_id'][0].as_py()} have {values.shape[1]} columns, others "
                    f"{arrays[name].shape[1]}: models of different sizes share space {assembly.model.space_id}"
                )
            arrays[name][start : start + part.num_rows] = values
    return IndexInput(
        assembly.model.space_id,
        assembly.model.model_id,
        items=_table(assembly, "links", INDEX_LINKS),
        trained_slots=np.array(assembly.model.leaf.trained, np.int64),
        category_mass=assembly.model.leaf.category_mass,
        ranking=assembly.model.weights,
        **{name: array for name, array in arrays.items() if array.shape[1]},
    )


def publish(store: Store, folder: Path, target: str) -> None:
    """Create the objects of an index folder, the manifest last; leftovers of another, stopped build are replaced."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path == folder / FILE):
        name = f"{target}/{path.relative_to(folder).as_posix()}"
        if not store.create_from(name, path) and store.sha256(name) != file_sha256(path):
            store.delete(name)  # nobody refers to it: its manifest was never written
            store.create_from(name, path)


def _table(assembly: Assembly, what: str, schema: pa.Schema) -> pa.Table:
    tables = [read_bucket(assembly.store, f"{assembly.folder}/{what}", b, schema) for b in range(assembly.buckets)]
    tables = [filled(table, schema).select(schema.names) for table in tables]  # gathered by an earlier version, say
    return pa.concat_tables([table.cast(schema) for table in tables]).combine_chunks()


def _units(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Yield where each unit's rows start, and the rows, sorted by model and unit."""
    names = np.array(
        [f"{m}/{u}" for m, u in zip(rows["model_id"].to_pylist(), rows["unit_id"].to_pylist(), strict=True)]
    )
    starts = np.flatnonzero(np.append(True, names[1:] != names[:-1])) if len(names) else np.zeros(0, int)
    for start, stop in zip(starts, np.append(starts[1:], len(names)), strict=True):
        yield int(start), rows.slice(int(start), int(stop - start))


def _read_unit(assembly: Assembly, part: pa.Table) -> dict[str, Array]:
    model_id, unit_id = part["model_id"][0].as_py(), part["unit_id"][0].as_py()
    table = UnitTable(assembly.store, f"embeddings/{assembly.model.space_id}/{model_id}")
    table.verify(unit_id)
    stored = table.read_rows(unit_id, part["row"].to_pylist(), COLUMNS)
    if not stored["digest"].combine_chunks().equals(part["digest"].combine_chunks()):
        raise StageError(f"unit {unit_id} of {table.prefix} holds other photos than were resolved; start a new run")
    slots, probabilities = (_lists(stored[name]) for name in COLUMNS[3:])
    top = slots.shape[1] // (len(assembly.model.levels) + 1)  # leaves come last
    return {
        "digests": fixed(stored["digest"], np.dtype(np.uint8)),
        "vectors": fixed(stored["embedding"], np.dtype("<f2")),
        "hashes": fixed(stored["hash"], np.dtype(np.uint8)),
        "top_slots": slots[:, slots.shape[1] - top :],
        "top_probabilities": probabilities[:, probabilities.shape[1] - top :],
    }


def fixed(column: pa.ChunkedArray, dtype: np.dtype) -> Array:
    """Return fixed-size binary values as an array `[n, width / itemsize]`, without a copy where there is one chunk."""
    values = column.combine_chunks()
    width = values.type.byte_width
    flat = np.frombuffer(values.buffers()[1], np.uint8)[values.offset * width : (values.offset + len(values)) * width]
    return flat.view(dtype).reshape(len(values), width // dtype.itemsize)


def _lists(column: pa.ChunkedArray) -> Any:
    values = column.combine_chunks()
    return np.asarray(values.flatten()).reshape(len(values), -1)


def assemble_on_worker(assembly: Assembly, jobs: Jobs, memory_bytes: int) -> None:
    """Assemble as a Beam step, so that the launcher holds no vectors, where there is as much memory."""

    def build(pipeline: beam.Pipeline) -> None:
        step = beam.Map(assemble).with_resource_hints(**jobs.hints(min_ram=memory_bytes))
        _ = pipeline | beam.Create([assembly]) | "Assemble" >> step

    jobs.run("assemble", build)
