r"""What an export costs, and whether other engines find in it what our exact index finds.

    VISUAL_SEARCH_OPENSEARCH=$(python -m tools.opensearch_parts) \
        python -m benchmarks.bench_export --config shop.toml [--release R]

A release is written in every format into a temporary folder, and timed. Then 300 of its photos ask Qdrant's own engine,
exactly and by its HNSW, and a node of OpenSearch (HNSW by Lucene, 100 candidates) where there is one, for the best ten
photos. An answer is the same when at every rank our score is that of the exact index's answer, but for what float16
rounds. The result stays in benchmarks/results/export.json. Expected: all answers of the exact scan the same, and nearly
all of the two graphs'.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge
import requests

from benchmarks.checks import at_least, keep
from pipelines.config import load_config
from pipelines.export.command import LOADERS, export_to_folder
from pipelines.export.source import Source
from pipelines.store import Store, open_store
from pipelines.telemetry.progress import Progress
from tests.export.node import node

QUERIES, TOP, CANDIDATES, ROUNDED = 300, 10, 100, 5e-4
JSON, LINES = {"Content-Type": "application/json"}, {"Content-Type": "application/x-ndjson"}
Ask = Callable[[np.ndarray], list[str]]


def main() -> None:
    """Export, ask, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--release")
    args = parser.parse_args()
    store = open_store(load_config(args.config).store.uri)
    with tempfile.TemporaryDirectory() as name, Source.open(store, args.release) as source:
        folder = Path(name)
        written = {to: timed_export(store, args.release, to, folder / to) for to in LOADERS}
        asked = Asked(source)
        shares = dict(of_qdrant(folder / "qdrant", asked))
        if "VISUAL_SEARCH_OPENSEARCH" in os.environ:
            shares |= of_opensearch(folder, asked)
        photos = len(source.rows)
    checks = [at_least("share of answers the same, Qdrant, exact", shares.get("qdrant, exact"), 1.0)]
    checks += [at_least(f"share of answers the same, {name}", shares.get(name), 0.98) for name in GRAPHS]
    keep(
        "export",
        {"photos": photos, "queries": len(asked.queries), "written": written, "same": shares, "checks": checks},
    )


GRAPHS = ("qdrant, HNSW", "opensearch, HNSW")


def timed_export(store: Store, release: str | None, to: str, place: Path) -> dict[str, Any]:
    """Write one format; return how long it took, what came of it, and its size."""
    start = time.perf_counter()
    counts = export_to_folder(store, release, to, str(place), Progress(quiet=True))["counts"]
    seconds = time.perf_counter() - start
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return {**counts, "seconds": round(seconds, 2), "a_second": round(counts["vectors"] / seconds), "bytes": size}


class Asked:
    """The queries, stored vectors of photos spread over the index, and the scores of every photo for each."""

    def __init__(self, source: Source) -> None:
        vectors = np.asarray(source.vectors, np.float32)
        places = np.unique(np.linspace(0, len(vectors) - 1, QUERIES).astype(int))
        self.queries = vectors[places] / np.linalg.norm(vectors[places], axis=1, keepdims=True)
        self._scores = self.queries @ vectors.T
        self._place = {bytes(digest).hex(): n for n, digest in enumerate(np.asarray(source.rows.digests))}
        self._shown = np.diff(source.rows.link_offsets)

    def same(self, ask: Ask) -> float:
        """Return the share of queries for which an engine's best photos are those of the exact index."""
        found = [self._is_same(query, ask(vector)) for query, vector in enumerate(self.queries)]
        return float(np.mean(found))

    def _is_same(self, query: int, photos: list[str]) -> bool:
        """A photo that several items show stands in an answer once for each of them."""
        scores = self._scores[query]
        wanted = np.sort(np.repeat(scores, self._shown))[::-1][:TOP]
        theirs = scores[[self._place[photo] for photo in photos]]
        return len(theirs) == TOP and bool((np.abs(theirs - wanted) < ROUNDED).all())


def of_qdrant(out: Path, asked: Asked) -> Iterator[tuple[str, float]]:
    """Yield the shares of Qdrant's engine, exactly and by its graph."""
    size = json.loads((out / "collection.json").read_bytes())["vectors"]["size"]
    with tempfile.TemporaryDirectory() as folder:
        config = edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(size=size, distance=edge.Distance.Cosine),
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1),
        )
        shard = edge.EdgeShard.create(folder, config)
        for path in sorted((out / "points").iterdir()):
            points = json.loads(path.read_bytes())["points"]
            made = [edge.Point(one["id"], one["vector"], one["payload"]) for one in points]
            shard.update(edge.UpdateOperation.upsert_points(made))
        shard.optimize()
        for name, exact in (("qdrant, exact", True), ("qdrant, HNSW", False)):

            def ask(vector: np.ndarray, exact: bool = exact) -> list[str]:
                params = edge.SearchParams(exact=exact)
                query = edge.Query.Nearest(vector.tolist())
                found = shard.search(edge.SearchRequest(query, TOP, params=params, with_payload=True))
                return [(point.payload or {})["photo"] for point in found]

            yield name, asked.same(ask)
        shard.close()


def of_opensearch(folder: Path, asked: Asked) -> dict[str, float]:
    """Return the share of a node of OpenSearch, loaded from the files."""
    out, home = folder / "opensearch", folder / "node"
    home.mkdir()
    with node(home) as url:
        requests.put(
            f"{url}/files", data=(out / "index.json").read_bytes(), headers=JSON, timeout=60
        ).raise_for_status()
        for path in sorted((out / "points").iterdir()):
            done = requests.post(f"{url}/files/_bulk", data=path.read_bytes(), headers=LINES, timeout=120)
            assert done.ok and not done.json()["errors"], done.text[:500]
        requests.post(f"{url}/files/_refresh", timeout=60).raise_for_status()

        def ask(vector: np.ndarray) -> list[str]:
            knn = {"embedding": {"vector": vector.tolist(), "k": CANDIDATES}}
            body: dict[str, Any] = {"size": TOP, "query": {"knn": knn}, "_source": ["photo"]}
            hits = requests.post(f"{url}/files/_search", json=body, timeout=60).json()["hits"]["hits"]
            return [hit["_source"]["photo"] for hit in hits]

        return {"opensearch, HNSW": asked.same(ask)}


if __name__ == "__main__":
    main()
