"""Graph indexes of other libraries, plain: faiss, hnswlib and usearch; a program of its own.

    PYTHON benchmarks/million/peers.py build|sweep|measure METHOD WORK

All graphs have the same shape: 16 links a node (32 on the lowest level), 100 candidates while they are built.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from measuring import K, main

LINKS, BUILD_EFFORT = 16, 100
EFFORTS = (10, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024)
BLOCK = 50_000
TRAIN = 65_536


class _Peer:
    """What graphs share: the vectors, the queries, one knob."""

    library, suffix = "", ""
    ladders = (EFFORTS,)
    callers = 1

    def __init__(self, work: Path, threads: int, name: str, kind: str) -> None:
        self._lib: Any = importlib.import_module(self.library)
        self._work, self._threads, self._kind = work, threads, kind
        self._file = work / name / f"index.{self.suffix}"
        self._queries = np.load(work / "queries.npy")
        self._index: Any = None

    def vectors(self) -> np.ndarray:
        return np.load(self._work / "vectors.npy", mmap_mode="r")

    def blocks(self) -> Any:
        """Give (first position, vectors) block by block."""
        vectors = self.vectors()
        for start in range(0, len(vectors), BLOCK):
            yield start, np.ascontiguousarray(vectors[start : start + BLOCK])

    def also(self) -> dict[str, Any]:
        return {}


class _Faiss(_Peer):
    """IndexHNSWFlat (kind "Flat"), or HNSW over scalar-quantised vectors."""

    library, suffix = "faiss", "faiss"

    def build(self) -> None:
        self._lib.omp_set_num_threads(self._threads)
        vectors = self.vectors()
        index = self._lib.index_factory(vectors.shape[1], f"HNSW{LINKS},{self._kind}")
        index.hnsw.efConstruction = BUILD_EFFORT
        if not index.is_trained:
            index.train(np.ascontiguousarray(vectors[:: max(1, len(vectors) // TRAIN)]))
        for _, block in self.blocks():
            index.add(block)
        self._lib.write_index(index, str(self._file))

    def open(self) -> None:
        self._lib.omp_set_num_threads(self._threads)
        self._index = self._lib.read_index(str(self._file))

    def at(self, knob: int) -> None:
        self._index.hnsw.efSearch = knob

    def ask(self, start: int, stop: int) -> np.ndarray:
        return self._index.search(self._queries[start:stop], K)[1]


class _Hnswlib(_Peer):
    """hnswlib on float32."""

    library, suffix = "hnswlib", "hnswlib"

    def build(self) -> None:
        vectors = self.vectors()
        index = self._lib.Index(space="ip", dim=vectors.shape[1])
        index.init_index(max_elements=len(vectors), M=LINKS, ef_construction=BUILD_EFFORT, random_seed=1)
        for start, block in self.blocks():
            index.add_items(block, np.arange(start, start + len(block)), num_threads=self._threads)
        index.save_index(str(self._file))

    def open(self) -> None:
        self._index = self._lib.Index(space="ip", dim=self._queries.shape[1])
        self._index.load_index(str(self._file))
        self._index.set_num_threads(self._threads)

    def at(self, knob: int) -> None:
        self._index.set_ef(knob)

    def ask(self, start: int, stop: int) -> np.ndarray:
        return self._index.knn_query(self._queries[start:stop], k=K)[0].astype(np.int64)


class _Usearch(_Peer):
    """usearch on vectors of its own kinds of numbers."""

    library, suffix = "usearch.index", "usearch"

    def _empty(self) -> Any:
        return self._lib.Index(
            ndim=self._queries.shape[1], metric="cos", dtype=self._kind, connectivity=LINKS, expansion_add=BUILD_EFFORT
        )

    def build(self) -> None:
        index = self._empty()
        for start, block in self.blocks():
            index.add(np.arange(start, start + len(block)), block, threads=self._threads)
        index.save(str(self._file))

    def open(self) -> None:
        self._index = self._empty()
        self._index.load(str(self._file))

    def at(self, knob: int) -> None:
        self._index.expansion_search = knob

    def ask(self, start: int, stop: int) -> np.ndarray:
        found = self._index.search(self._queries[start:stop], K, threads=self._threads)
        return np.asarray(found.keys).reshape(stop - start, K).astype(np.int64)


METHODS = {
    "faiss_hnsw": (_Faiss, "Flat"),
    "faiss_hnsw_fp16": (_Faiss, "SQfp16"),
    "faiss_hnsw_sq8": (_Faiss, "SQ8"),
    "hnswlib": (_Hnswlib, "f32"),
    "usearch_f32": (_Usearch, "f32"),
    "usearch_f16": (_Usearch, "f16"),
    "usearch_i8": (_Usearch, "i8"),
}


def _maker(name: str) -> Any:
    made, kind = METHODS[name]
    return lambda work, threads: made(work, threads, name, kind)


if __name__ == "__main__":
    main({name: _maker(name) for name in METHODS})
