"""How a method is measured, in a process of its own: swept over its knobs, timed, and its memory counted.

Runs in the interpreter of an environment that holds a method's library and numpy, and nothing else of this project.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

K = 10
BATCH = 64
"""Queries that are asked at once where queries a second are counted; alone they are asked for their latency."""
PASSES = 3
ALONE = 1_000
WANTED = 0.98
RESIDENT = ("RssAnon", "RssFile", "RssShmem")


class Method(Protocol):
    """One way to search."""

    callers: int
    """How many threads ask at once, each a batch; a library that shares a batch among threads of its own wants one."""

    @property
    def ladders(self) -> Sequence[Sequence[Any]]:
        """Knobs, cheapest first; each ladder is climbed until the recall is reached."""

    def build(self) -> None:
        """Build the index from the vectors of the work folder, and keep it."""

    def open(self) -> None:
        """Load the index."""

    def at(self, knob: Any) -> None:
        """Search with a knob from now on."""

    def ask(self, start: int, stop: int) -> np.ndarray:
        """Return the positions int64 `[stop - start, K]` of what these queries find, -1 for none."""

    def also(self) -> dict[str, Any]:
        """Return what else is to be measured of this method."""


def asked(method: Method, queries: int) -> tuple[np.ndarray, float, float]:
    """Ask all queries in batches; return what they find, and seconds by the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    starts = range(0, queries, BATCH)
    with ThreadPoolExecutor(method.callers) as pool:
        found = list(pool.map(lambda start: method.ask(start, min(start + BATCH, queries)), starts))
    return np.concatenate(found), time.perf_counter() - wall, time.process_time() - cpu


def recall(found: np.ndarray, truth: np.ndarray, among: np.ndarray | None = None) -> float:
    """Return the mean share of the `truth` `[n, K]` that was found, of the queries `among` (None: all)."""
    shares = (found[:, :, None] == truth[:, None, :]).any(axis=1).mean(axis=1)
    return float((shares if among is None else shares[among]).mean())


def resident() -> dict[str, int]:
    """Return this process' resident bytes by kind: its own, and mapped files."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return {name: 1024 * int(found[name].split()[0]) for name in RESIDENT}


def sweep(method: Method, work: Path) -> dict[str, Any]:
    """Climb each ladder until the recall is reached, or reaching it costs more than on another; return every point."""
    truth, points = np.load(work / "truth.npy"), list[dict[str, Any]]()
    method.open()
    for ladder in method.ladders:
        for knob in ladder:
            method.at(knob)
            asked(method, min(len(truth), 4 * BATCH))
            found, _, cpu = asked(method, len(truth))
            cpu_ms = round(1000 * cpu / len(truth), 3)
            points.append({"knob": knob, "recall": round(recall(found, truth), 4), "cpu_ms": cpu_ms})
            print(points[-1], file=sys.stderr, flush=True)
            if any(point["recall"] >= WANTED and point["cpu_ms"] <= cpu_ms for point in points):
                break
    return {"points": points}


def measure(method: Method, work: Path, knob: Any) -> dict[str, Any]:
    """Return recall, queries a second, latencies and memory at a knob."""
    truth, wrong = np.load(work / "truth.npy"), np.load(work / "wrong_leaf.npy")
    bare = resident()
    method.open()
    method.at(knob)
    found, _, _ = asked(method, len(truth))
    walls, cpus = zip(*(asked(method, len(truth))[1:] for _ in range(PASSES)), strict=True)
    singles = []
    for query in range(min(ALONE, len(truth))):
        began = time.perf_counter()
        method.ask(query, query + 1)
        singles.append(1000 * (time.perf_counter() - began))
    after = resident()
    p50, p99 = np.percentile(singles, [50, 99])
    return {
        "recall": round(recall(found, truth), 4),
        "recall_wrong_leaf": round(recall(found, truth, wrong), 4),
        "qps": round(len(truth) / min(walls), 1),
        "cpu_ms": round(1000 * min(cpus) / len(truth), 3),
        "alone_p50_ms": round(float(p50), 3),
        "alone_p99_ms": round(float(p99), 3),
        "resident_mb": round(sum(after[name] - bare[name] for name in RESIDENT) / 1e6),
        "resident_mapped_mb": round((after["RssFile"] - bare["RssFile"]) / 1e6),
        **method.also(),
    }


def build(method: Method) -> dict[str, Any]:
    """Build and say what it took of the processor."""
    began = time.process_time()
    method.build()
    return {"build_cpu_s": round(time.process_time() - began, 1)}


def main(methods: Mapping[str, Callable[[Path, int], Method]]) -> None:
    """Do one job of one method in the folder of the work, and print its result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=("build", "sweep", "measure"))
    parser.add_argument("method", choices=sorted(methods))
    parser.add_argument("work", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--knob", type=json.loads)
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[: given.threads]
    os.sched_setaffinity(0, cores)
    method = methods[given.method](given.work, given.threads)
    if given.job == "build":
        result = build(method)
    elif given.job == "sweep":
        result = sweep(method, given.work)
    else:
        result = measure(method, given.work, given.knob)
    print(json.dumps(result))
