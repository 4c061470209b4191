"""The pipeline's own indexes, built and searched by its own code.

    python -m benchmarks.million.ours build|sweep|measure METHOD WORK

What is swept is what an index's manifest and a query plan say: lists visited or efSearch, candidates scored again,
codes scored again and the probability of the categories scanned. Photos are not folded by item here, and nothing but
likeness orders them: so the same is found as by an index alone.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.million.measuring import BATCH, K, main
from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.folder import IndexInput, build_index
from pipelines.neighbours.manifest import read_manifest, write_manifest
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.recipes import recipe
from pipelines.neighbours.settings import HnswConfig, IndexConfig, PlanConfig
from trainer.config import LEAF

HASH_FROM, HASH_STEPS, SEED = 30_000, 400, 1
HASH_BLOCK = 32_768
LEAVES_A_DEPARTMENT = 20
RERANK = (2, 3, 5, 10)
"""Candidates for each result that are scored again on the stored vectors; a plan asks for twice its results."""
PROBES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
EFFORTS = (20, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512)
DEPTHS = (400, 800, 1_600, 3_200, 6_400)
MASSES = (0.98, None, 0.999, 1.0)
"""None is the calibrated one."""


class _Ours:
    """What the kinds share: the folder, the plan, the model's outputs of the queries."""

    kind = ""
    recipe = "etsy"

    def __init__(self, work: Path, threads: int) -> None:
        self._work, self.callers = work, threads
        self._folder = work / f"ours_{self.kind}" / "index"
        self._outputs = QueryOutputs(np.load(work / "queries.npy"))
        self._plan = PlanConfig(kind=self.kind, fold="photo", top_categories=1)
        self._searcher: Searcher
        self._positions: np.ndarray

    @property
    def ladders(self) -> Sequence[Sequence[Any]]:
        return ()

    def config(self) -> IndexConfig:
        """Return the settings of the build: those of the pipeline, but with all threads for a graph."""
        return IndexConfig(kinds=(self.kind,), hnsw=HnswConfig(deterministic=False), memory_budget_bytes=8 << 30)

    def build(self) -> None:
        """Build the index folder as the stage does."""
        shutil.rmtree(self._folder, ignore_errors=True)
        build_index(self._folder, self.data(), self.config())

    def data(self) -> IndexInput:
        """Return what the index is made of."""
        work = self._work
        leaf, product = np.load(work / "leaf.npy"), np.load(work / "product.npy")
        digests = np.random.default_rng(SEED).integers(0, 256, (len(leaf), 32), np.uint8)
        items = pa.table(
            {
                "digest": pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(leaf), [None, pa.py_buffer(digests)]),
                "item_id": pa.array([f"item-{number:07d}" for number in product]),
                "category": pa.array([[f"d{n // LEAVES_A_DEPARTMENT}", f"l{n}"] for n in leaf], pa.list_(pa.string())),
                "slot": leaf,
                "image_uri": pa.array([str(number) for number in range(len(leaf))]),
            }
        )
        mass = json.loads((work / "drawn.json").read_text(encoding="utf-8"))["category_mass"]
        vectors = np.load(work / "vectors.npy", mmap_mode="r")
        return IndexInput("space", "model", digests, vectors, items, self.hashes(), category_mass=mass)

    def hashes(self) -> np.ndarray | None:
        return None

    def open(self) -> None:
        """Open the index as it was built."""
        self._open(self._folder)

    def _open(self, folder: Path) -> None:
        self._searcher = Searcher.open(folder)
        uris = self._searcher.rows.image_uris(np.arange(len(self._searcher.rows.link_row)))
        self._positions = uris.cast(pa.int64()).to_numpy()

    def ask(self, start: int, stop: int) -> np.ndarray:
        """Search by the plan; photos are named by their positions."""
        links = self._searcher.run(self._some(start, stop), K, self._plan).links
        found = np.full((stop - start, K), -1, np.int64)
        for of_query, into in zip(links, found, strict=True):
            into[: len(of_query)] = self._positions[of_query]
        return found

    def _some(self, start: int, stop: int) -> QueryOutputs:
        every = self._outputs
        return QueryOutputs(
            every.embeddings[start:stop],
            None if every.hashes is None else every.hashes[start:stop],
            None if every.probabilities is None else every.probabilities[start:stop],
        )

    def also(self) -> dict[str, Any]:
        """Return queries a second as a service answers: a result an item, the recipe's weights, all that is shown."""
        default = recipe(self.recipe)
        weights = {name: getattr(default, name) for name in ("fold", "category_weight")}
        plan, count, began = replace(self._plan, **weights), len(self._outputs), time.perf_counter()

        def search(start: int) -> None:
            self._searcher.search(self._some(start, min(start + BATCH, count)), K, plan)

        with ThreadPoolExecutor(self.callers) as pool:
            list(pool.map(search, range(0, count, BATCH)))
        return {"qps_as_served": round(count / (time.perf_counter() - began), 1)}

    def _set(self, **values: Any) -> None:
        """Open the index with other settings of its search: those that its manifest names."""
        manifest = read_manifest(self._folder)
        manifest["config"][self.kind].update(values)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "index"
            shutil.copytree(self._folder, folder, copy_function=lambda a, b: Path(b).symlink_to(Path(a).resolve()))
            (folder / "manifest.json").unlink()
            write_manifest(folder, manifest)
            self._open(folder)


class _IvfPca(_Ours):
    """PCA, lists, 8 bits a dimension."""

    kind = "ivf_pca"

    @property
    def ladders(self) -> Sequence[Sequence[Any]]:
        return [[[rerank, probes] for probes in PROBES] for rerank in RERANK]

    def at(self, knob: list[int]) -> None:
        self._set(rerank=knob[0], probes=knob[1])


class _Hnsw(_Ours):
    """PCA and a graph."""

    kind = "hnsw"

    @property
    def ladders(self) -> Sequence[Sequence[Any]]:
        return [[[rerank, effort] for effort in EFFORTS if effort >= 2 * K * rerank] for rerank in RERANK]

    def at(self, knob: list[int]) -> None:
        self._set(rerank=knob[0], ef_search=knob[1])


class _Binary(_Ours):
    """Codes of the hash head within the categories that the model sees."""

    kind = "binary"
    recipe = "ebay"

    def __init__(self, work: Path, threads: int) -> None:
        super().__init__(work, threads)
        if (work / "query_hashes.npy").exists():
            probabilities = np.load(work / "probabilities.npy")
            self._outputs = replace(
                self._outputs, hashes=np.load(work / "query_hashes.npy"), probabilities=probabilities
            )

    @property
    def ladders(self) -> Sequence[Sequence[Any]]:
        return [[[mass, depth] for depth in DEPTHS] for mass in MASSES]

    def at(self, knob: list[Any]) -> None:
        mass, depth = knob
        self._plan = replace(self._plan, category_mass=mass, depth_min=depth, depth_max=depth)

    def hashes(self) -> np.ndarray:
        """Learn the hash head as the pipeline does, and hash all vectors and queries by it."""
        from trainer.hashing import build_hash_head, fit_hash_head
        from trainer.heads import loss_weights

        work = self._work
        leaf, vectors = np.load(work / "leaf.npy"), np.load(work / "vectors.npy", mmap_mode="r")
        rows = np.sort(np.random.default_rng(SEED).choice(len(leaf), min(HASH_FROM, len(leaf)), replace=False))
        slots, classes = {LEAF: leaf[rows].astype(np.int32)}, {LEAF: int(leaf.max()) + 1}
        head, weights = build_hash_head(), loss_weights([LEAF], 0.3)
        fit_hash_head(head, vectors[rows], slots, classes, weights, minutes=0, steps=HASH_STEPS, seed=SEED)
        kernel, bias = head.layers[-1].get_weights()
        for source, file in ((self._outputs.embeddings, "query_hashes.npy"), (vectors, "hashes.npy")):
            parts = _hashed(source, kernel, bias)
            codes = np.lib.format.open_memmap(work / file, "w+", np.uint8, (len(source), kernel.shape[1] // 8))
            for start, part in parts:
                codes[start : start + len(part)] = part
            codes.flush()
        return np.load(work / "hashes.npy", mmap_mode="r")


def _hashed(vectors: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(vectors), HASH_BLOCK):
        yield start, np.packbits(np.asarray(vectors[start : start + HASH_BLOCK]) @ kernel + bias > 0, axis=1)


if __name__ == "__main__":
    main({"ours_ivf_pca": _IvfPca, "ours_hnsw": _Hnsw, "ours_binary": _Binary})
