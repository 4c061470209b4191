"""A million vectors of 512: the pipeline's query plans beside faiss, hnswlib and usearch, at equal recall and memory.

    python3 -m venv PEERS && PEERS/bin/pip install numpy hnswlib usearch
    python -m benchmarks.bench_million WORK --peers PEERS/bin/python [--beside INDEX] [--count 1000000] [--build]

The vectors are drawn (benchmarks/million/vectors.py); with the folder of a real shop's index as INDEX, how they lie is
measured beside that. Queries are photos of products that the index holds, none of which is in it. All methods find the
ten nearest, and are judged by exact search among all: categories that a plan does not scan count against it, and so do
rounded numbers. Each method is swept over its knobs until recall@10 is .98, and measured at the fastest that reaches
it: a process each, alone on the machine, on one core and on two, all of them twice and in turn; the better counts.
What a build takes and the knob are told by the processor's time, which depends least on what else runs: so what is
drawn, built and swept stays in WORK (20 GB) and a second run only measures; `--build` ends before that.
The last result stays in benchmarks/results/. Expected: some plan of ours ahead of each other method in queries a
second, in no more memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checks import at_least, keep
from benchmarks.million.measuring import BATCH, WANTED, K
from benchmarks.million.vectors import draw, shape_of

ROOT = Path(__file__).parents[1]
OURS = ("ours_ivf_pca", "ours_hnsw", "ours_binary")
IN_PEERS = ("hnswlib", "usearch_f32", "usearch_f16", "usearch_i8")
"""Those that want the peers' interpreter."""
PEERS = ("faiss_hnsw", "faiss_hnsw_fp16", "faiss_hnsw_sq8", *IN_PEERS)
ROUNDS, CORES = 2, (1, 2)
LEAF_TOP1 = 0.757
"""How often the right leaf came first for a model of a real shop: results/quality-fashion60.json."""
BLOCK = 25_000


def prepare(work: Path, count: int, queries: int) -> dict[str, Any]:
    """Draw the vectors and find the truth, unless both are there; return what is known of them."""
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "drawn.json").exists():
        drawn = draw(work, count, queries, round(count**0.5), LEAF_TOP1)
        (work / "drawn.json").write_text(json.dumps(drawn), encoding="utf-8")
    known: dict[str, Any] = json.loads((work / "drawn.json").read_text(encoding="utf-8"))
    if known["count"] != count:
        raise SystemExit(f"{work} holds {known['count']} vectors, not {count}: name another folder")
    if not (work / "truth.npy").exists():
        first = np.load(work / "probabilities.npy").argmax(axis=1)
        np.save(work / "wrong_leaf.npy", first != np.load(work / "query_leaf.npy"))
        np.save(work / "truth.npy", exact(np.load(work / "vectors.npy", mmap_mode="r"), np.load(work / "queries.npy")))
    return known


def exact(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the positions int64 `[queries, K]` of the nearest vectors."""
    best, where = np.full((len(queries), K), -2, np.float32), np.full((len(queries), K), -1, np.int64)
    for start in range(0, len(vectors), BLOCK):
        scores = queries @ np.asarray(vectors[start : start + BLOCK]).T
        near = np.argpartition(scores, -K, axis=1)[:, -K:]
        scores = np.concatenate([best, np.take_along_axis(scores, near, axis=1)], axis=1)
        where = np.concatenate([where, start + near], axis=1)
        order = np.argsort(-scores, axis=1)[:, :K]
        best, where = np.take_along_axis(scores, order, axis=1), np.take_along_axis(where, order, axis=1)
    return where


def job(work: Path, peers: Path, what: str, method: str, **flags: Any) -> dict[str, Any]:
    """Do one job of a method in a process of its own; return its result."""
    ours = ["-m", "benchmarks.million.ours"]
    words = [sys.executable, *(ours if method in OURS else ["benchmarks/million/peers.py"])]
    if method in IN_PEERS:
        words[0] = str(peers)
    options = [word for name, value in flags.items() for word in (f"--{name}", json.dumps(value))]
    # Our searches are shared out among threads that search, as in the service, not among those of faiss.
    cores = "1" if method in OURS and what != "build" else str(flags.get("threads", max(CORES)))
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), cores)}
    command = [*words, what, method, str(work), *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def once(work: Path, peers: Path, what: str, method: str) -> dict[str, Any]:
    """Do a job whose result is kept in WORK, unless it is there."""
    kept = work / method / f"{what}.json"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        print(f"{method}: {what}", file=sys.stderr, flush=True)
        result = json.dumps(job(work, peers, what, method))
        kept.write_text(result, encoding="utf-8")
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def knob_of(points: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the point of least processor's time that reaches the recall; where none does, that of the most recall."""
    reached = [point for point in points if point["recall"] >= WANTED]
    return min(reached, key=lambda p: p["cpu_ms"]) if reached else max(points, key=lambda p: p["recall"])


def measured(work: Path, peers: Path, method: str, knob: Any) -> dict[str, Any]:
    """Return what one round says of a method: all of one core, and queries a second of two."""
    one, two = (job(work, peers, "measure", method, threads=cores, knob=knob) for cores in CORES)
    return one | {f"{name}_two_cores": two[name] for name in ("qps", "qps_as_served") if name in two}


def better(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the better of what rounds say: others of the machine only make it slower, and never faster."""
    return {
        name: max(of[name] for of in rounds)
        if name.startswith(("qps", "recall", "resident"))
        else min(of[name] for of in rounds)
        for name in rounds[0]
    }


def table_of(work: Path, peers: Path, methods: list[str]) -> tuple[list[dict[str, Any]], list[list[float]]]:
    """Return a row for each method, and the machine's load before each round."""
    knobs = {method: knob_of(once(work, peers, "sweep", method)["points"])["knob"] for method in methods}
    rounds: dict[str, list[dict[str, Any]]] = {method: [] for method in methods}
    loads = []
    for _ in range(ROUNDS):
        loads.append([round(value, 2) for value in os.getloadavg()])
        for method in methods:
            rounds[method].append(measured(work, peers, method, knobs[method]))
            print(method, json.dumps(rounds[method][-1]), file=sys.stderr, flush=True)
    rows = []
    for method in methods:
        files = [path.stat().st_size for path in (work / method).rglob("*") if path.is_file()]
        built = once(work, peers, "build", method)
        disk = {"disk_mb": round(sum(files) / 1e6)}
        rows.append({"method": method, "knob": knobs[method], **better(rounds[method]), **disk, **built})
    return rows, loads


def checks_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was to be reached: the recall, and to be ahead of each other method in no more memory.

    A method that was not measured is not reached.
    """
    by_name = {row["method"]: row for row in rows}
    found = [at_least(f"{name}: recall@10", by_name.get(name, {}).get("recall"), WANTED) for name in OURS]
    able = [by_name[name] for name in OURS if name in by_name and by_name[name]["recall"] >= WANTED]
    for peer in PEERS:
        for cores, name in zip(CORES, ("qps", "qps_two_cores"), strict=True):
            what = f"best of ours in no more memory / {peer}: queries a second on {cores} of the cores"
            found.append(at_least(what, _ahead(able, by_name.get(peer), name), 1))
    return found


def _ahead(ours: list[dict[str, Any]], row: dict[str, Any] | None, name: str) -> float | None:
    """Return the best of ours that needs no more memory than a row, as a multiple of it; None where there is none."""
    fitting = [mine[name] for mine in ours if row and mine["resident_mb"] <= row["resident_mb"]]
    return max(fitting) / row[name] if row and fitting else None


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--peers", type=Path, required=True, help="the interpreter that has hnswlib and usearch")
    parser.add_argument(
        "--beside", type=Path, help="the folder of a real shop's index, whose vectors are looked at too"
    )
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--methods", nargs="*", default=[*OURS, *PEERS])
    parser.add_argument("--build", action="store_true", help="draw, build and sweep what is not there yet, and end")
    given = parser.parse_args()
    work = given.work.resolve()
    known = prepare(work, given.count, given.queries)
    for what in ("build", "sweep"):
        for method in given.methods:
            once(work, given.peers, what, method)
    if given.build:
        return
    first = np.unique(np.load(work / "product.npy"), return_index=True)[1]
    shape = {"drawn": shape_of(np.load(work / "vectors.npy", mmap_mode="r"), first)}
    if given.beside:
        stored = np.load(given.beside / "vectors.npy", mmap_mode="r")
        shape["real"] = shape_of(stored, np.arange(len(stored)))
    rows, loads = table_of(work, given.peers, given.methods)
    result = {"what": f"the {K} nearest of {given.count} vectors", "drawn": known, "shape": shape}
    keep("million", {**result, "batch": BATCH, "load": loads, "table": rows, "checks": checks_of(rows)})


if __name__ == "__main__":
    main()
