"""The preprocess stage against the fastest bare loop that reads, decodes, resizes and encodes, on all cores.

    python -m benchmarks.bench_preprocess                                  # drawn photos of 800 x 1067
    python -m benchmarks.bench_preprocess --photos FOLDER --as-they-are --height 80 --width 60 --name small

Stage and bare loop take turns in one process until each has worked for `--seconds`. The stage's time is all of it:
plan, fetch, hash, prepare, commit, resolve duplicates, splits; `small_run_s` is what it takes for 20 photos, which is
start-up. The last result stays in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.photos import photos_of
from benchmarks.shop import CATALOGUE, write_feed
from pipelines.config import load_config
from pipelines.runs.sequence import open_run, run_stages
from pipelines.telemetry.progress import Progress

RESULTS = Path(__file__).parent / "results"
LARGE, CATEGORIES = (800, 1067), 7
CONFIG = f"""
[store]
uri = "store-{{round}}"
buckets = 4
{CATALOGUE}
[preprocess]
height = {{height}}
width = {{width}}
"""


def stage(work: Path, count: int, size: tuple[int, int], number: int) -> float:
    """Run catalogue and preprocess into an empty store; return the seconds of preprocess."""
    path = work / f"config-{number}.toml"
    path.write_text(CONFIG.format(round=number, count=count, height=size[1], width=size[0]), encoding="utf-8")
    context = open_run(load_config(str(path)), "bench", Progress(quiet=True))
    manifests = {manifest["stage"]: manifest for manifest in run_stages(context, ("catalogue", "preprocess"))}
    assert manifests["preprocess"]["counts"]["ok"] == count, manifests["preprocess"]
    return float(manifests["preprocess"]["seconds"])


def bare(path: str, size: tuple[int, int]) -> int:
    """Read, decode at a reduced scale, resize and encode one photo; return the bytes kept."""
    with Image.open(path) as photo:
        photo.draft("RGB", size)
        fitted = photo.convert("RGB")
        fitted.thumbnail(size, Image.Resampling.BICUBIC, reducing_gap=None)
        out = io.BytesIO()
        fitted.save(out, "JPEG", quality=95, subsampling=0)
        return out.tell()


def bare_loops(paths: Sequence[Path], size: tuple[int, int]) -> dict[str, Any]:
    """Return bare loops by name: threads and processes, as many as there are cores."""
    names, cores = [str(path) for path in paths], len(os.sched_getaffinity(0))

    def threads() -> float:
        started = time.perf_counter()
        with ThreadPoolExecutor(cores) as pool:
            list(pool.map(lambda name: bare(name, size), names))
        return time.perf_counter() - started

    def processes() -> float:
        with get_context("spawn").Pool(cores) as pool:
            pool.starmap(bare, [(name, size) for name in names[: 2 * cores]])  # started and warm
            started = time.perf_counter()
            pool.starmap(bare, [(name, size) for name in names], chunksize=64)
            return time.perf_counter() - started

    return {"threads": threads, "processes": processes}


def measure(work: Path, paths: Sequence[Path], size: tuple[int, int], seconds: float) -> dict[str, Any]:
    """Let the stage and the faster bare loop take turns until each has worked long enough."""
    count = len(paths)
    for some in (20, count):
        write_feed(work, paths[:some], CATEGORIES)
    small_run = [stage(work, 20, size, -number) for number in (1, 2)][1]  # the first one imports Beam
    loops = bare_loops(paths, size)
    tried = {name: loop() for name, loop in loops.items()}
    fastest = min(tried, key=lambda name: tried[name])
    spent: dict[str, list[float]] = {"stage": [], "bare": []}
    number = 0
    while min(sum(times) for times in spent.values()) < seconds:
        number += 1
        spent["stage"].append(stage(work, count, size, number))
        spent["bare"].append(loops[fastest]())
        print({name: round(count / times[-1], 1) for name, times in spent.items()}, flush=True)
    rates = {name: count * len(times) / sum(times) for name, times in spent.items()}
    without = count * len(spent["stage"]) / (sum(spent["stage"]) - small_run * len(spent["stage"]))
    return {
        "photos": count,
        "mean_bytes": sum(path.stat().st_size for path in paths) // count,
        "rounds": number,
        "photos_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "bare_loop": fastest,
        "bare_loops_photos_per_s": {name: round(count / took, 1) for name, took in tried.items()},
        "small_run_s": round(small_run, 2),
        "stage_to_bare": round(rates["stage"] / rates["bare"], 3),
        "stage_to_bare_without_start_up": round(without / rates["bare"], 3),
        "cores": len(os.sched_getaffinity(0)),
    }


def main() -> None:
    """Measure one case and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder of photos; drawn ones if unset")
    parser.add_argument("--as-they-are", action="store_true", help="do not enlarge them to 800 x 1067")
    parser.add_argument("--height", type=int, default=224)
    parser.add_argument("--width", type=int, default=224)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--name", default="large")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        paths = photos_of(args.photos, args.count, work, None if args.as_they_are else LARGE)
        size = (args.width, args.height)
        result = {"height": args.height, "width": args.width, **measure(work, paths, size, args.seconds)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"preprocess-{args.name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
