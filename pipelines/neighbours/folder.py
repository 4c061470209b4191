"""Build an index folder from arrays.

Owns the steps and their order: predict memory, number the rows, copy vectors and codes in that order, build each kind,
describe it all. Vectors pass block by block.
"""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.models.weights import Weights
from pipelines.neighbours.kinds.base import blocks, check_vectors
from pipelines.neighbours.kinds.binary import entries_of, write_codes
from pipelines.neighbours.kinds.factory import is_deterministic, vector_index
from pipelines.neighbours.manifest import FORMAT, config_json, described_files, write_manifest
from pipelines.neighbours.memory import Prediction, check_budget, predict
from pipelines.neighbours.row_tables import RowTables, write_rows
from pipelines.neighbours.settings import IndexConfig
from pipelines.tables.arrays import Array, Ints

VECTORS, TOP_SLOTS, TOP_PROBABILITIES = "vectors.npy", "top_slots.npy", "top_probabilities.npy"
NORM_TOLERANCE = 0.01


@dataclass(frozen=True)
class IndexInput:
    """Hold what an index is made of; every array may be memory-mapped, in any order of photos.

    By photo: `digests` uint8 `[n, 32]`, unique; `vectors` float16 or float32 `[n, dim]`, L2-normalised; `hashes` uint8
    `[n, bytes]`, for binary; `top_slots` integer and `top_probabilities` float `[n, t]`, the model's best categories,
    which a search by item asks with. `items`: see `row_tables.write_rows`. `trained_slots`: the categories that the
    model can predict (None: all of its columns); `category_mass`: the probability of those to scan that holds the
    right one for 99 % of photos (None: not known); `ranking`: what the model learned that category
    and attributes are worth.
    """

    space_id: str
    model_id: str
    digests: Array
    vectors: Array
    items: pa.Table
    hashes: Array | None = None
    top_slots: Array | None = None
    top_probabilities: Array | None = None
    trained_slots: Ints | None = None
    category_mass: float | None = None
    ranking: Weights | None = None

    def __post_init__(self) -> None:
        check_vectors(self.vectors)
        for name in ("vectors", "hashes", "top_slots", "top_probabilities"):
            array = getattr(self, name)
            if array is not None and len(array) != len(self.digests):
                raise ValueError(f"{len(self.digests)} digests but {len(array)} {name}: pass one of each a photo")
        if (self.top_slots is None) != (self.top_probabilities is None):
            raise ValueError("top_slots and top_probabilities belong together: pass both or neither")


def build_index(folder: Path, data: IndexInput, config: IndexConfig) -> dict[str, Any]:
    """Build every kind of `config` into a new `folder` and return its manifest.

    Memory is predicted before anything is built (MemoryBudgetError). `folder` appears when it is complete; what a
    stopped build left beside it (`<folder>.partial`) is replaced. Two builds of the same photos, in any order, give
    equal bytes, except where a kind is listed as not deterministic.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists already: an index is never overwritten; choose a new name")
    if "binary" in config.kinds and data.hashes is None:
        raise ValueError("index.kinds holds 'binary' but there are no hashes: embed with a model that has a hash head")
    predictions = _predictions(data, config)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    tables, vocabulary = write_rows(partial, data.digests, data.items, config.attributes, config.signals)
    _write_vectors(partial, data, tables.source, config.block_rows)
    _write_kinds(partial, data, tables, config)
    manifest = _manifest(partial, data, config, tables, vocabulary, predictions)
    write_manifest(partial, manifest)
    partial.rename(folder)
    return manifest


def _predictions(data: IndexInput, config: IndexConfig) -> list[Prediction]:
    dim, code_bytes = data.vectors.shape[1], 0 if data.hashes is None else data.hashes.shape[1]
    kinds = ["exact", *(kind for kind in config.kinds if kind != "exact")]
    predictions = [predict(kind, len(data.digests), dim, code_bytes, config) for kind in kinds]
    for prediction in predictions:
        check_budget(prediction, config.memory_budget_bytes)
    return predictions


def _write_vectors(folder: Path, data: IndexInput, source: Ints, block_rows: int) -> None:
    vectors = np.lib.format.open_memmap(folder / VECTORS, "w+", np.float16, (len(source), data.vectors.shape[1]))
    for part in blocks(len(source), block_rows):
        block = np.asarray(data.vectors[source[part]], np.float32)
        _check_norms(block, data.digests, source[part])
        vectors[part] = block
    vectors.flush()
    if data.top_slots is not None and data.top_probabilities is not None:
        np.save(folder / TOP_SLOTS, data.top_slots[source].astype(np.int32))
        np.save(folder / TOP_PROBABILITIES, data.top_probabilities[source].astype(np.float32))


def _check_norms(block: Array, digests: Array, source: Ints) -> None:
    norms = np.linalg.norm(block, axis=1)
    wrong = np.flatnonzero(~(np.abs(norms - 1) <= NORM_TOLERANCE))
    if len(wrong):
        photo = digests[source[wrong[0]]].tobytes().hex()
        raise ValueError(
            f"the vector of photo {photo} has norm {norms[wrong[0]]:.4g}, expected 1 (and {len(wrong) - 1} more): "
            "normalise embeddings, and reject photos whose embedding is not finite"
        )


def _write_kinds(folder: Path, data: IndexInput, tables: RowTables, config: IndexConfig) -> None:
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    for kind in config.kinds:
        (folder / kind).mkdir()
        if kind == "binary" and data.hashes is not None:
            rows, slots = entries_of(tables.link_rows, tables.link_slots)
            write_codes(folder / kind, data.hashes, tables.source, rows, slots, config.block_rows)
        else:
            index = vector_index(kind, config, vectors.shape[1])
            index.build(vectors)
            index.save(folder / kind)


def _manifest(
    folder: Path,
    data: IndexInput,
    config: IndexConfig,
    tables: RowTables,
    vocabulary: dict[str, Any],
    predictions: list[Prediction],
) -> dict[str, Any]:
    files = described_files(folder)
    kinds = {
        prediction.kind: {
            "predicted_bytes": prediction.index_bytes,
            "predicted_build_bytes": prediction.build_bytes,
            "file_bytes": sum(f["bytes"] for name, f in files.items() if name.startswith(f"{prediction.kind}/")),
            "deterministic": is_deterministic(prediction.kind, config),
        }
        for prediction in predictions
    }
    return {
        "format": FORMAT,
        "space_id": data.space_id,
        "model_id": data.model_id,
        "dim": int(data.vectors.shape[1]),
        "code_bytes": 0 if data.hashes is None else int(data.hashes.shape[1]),
        "counts": {
            "vectors": len(tables.source),
            "item_photos": len(tables.link_rows),
            "items": tables.num_items,
            **tables.dropped,
        },
        "trained_slots": None if data.trained_slots is None else sorted(int(slot) for slot in data.trained_slots),
        "category_mass": data.category_mass,
        "ranking": None if data.ranking is None else asdict(data.ranking),
        "vocabulary": vocabulary,
        "config": config_json(config),
        "kinds": kinds,
        "files": files,
    }
