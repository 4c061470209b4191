"""Whole queries over HTTP against a bare loop over the same photos, model and index; how long they take.

    python -m benchmarks.bench_serve [--shop FOLDER] [--seconds 15] [--rounds 3]

The service and the loop take turns: the one asked by a process of its own that keeps it busy, the other in one process
that prepares photos in a thread a core while the model and the search work on the batch before. Then half of what the
service could is asked a second, and at last one query at a time. The last result stays in benchmarks/results/.
Expected: .85 of the bare loop or more.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.checks import at_least, keep
from benchmarks.load import RESULTS, Load, saturated, summary
from benchmarks.served import Serve, ServedShop, kept_shop, shop_parser
from trainer import process

ASKERS, ALONE = 96, 300
"""Three batches, for one in the model, one that is prepared and one that is answered; of two none is ever full."""
STEP = "visual_search_serving_step_seconds"


def bare_loop(shop: ServedShop, seconds: float) -> dict[str, float]:
    """Answer photos in this process for so long; return how many a second, and a processor's milliseconds each."""
    os.environ.pop(process.KERNELS, None)  # as the service has them
    from pipelines.search.engine import SearchEngine

    photos = [path.read_bytes() for path in sorted(shop.photo_folder.rglob("*.jpg"))]
    batch, cores = shop.config.serving.batch, len(os.sched_getaffinity(0))
    with SearchEngine.open(shop.config, shop.store) as engine, ThreadPoolExecutor(cores) as pool:

        def batches() -> Iterator[list[bytes]]:
            """Yield prepared batches; the next is prepared while one is worked on."""
            coming = itertools.cycle(photos)
            ahead = [pool.submit(engine.prepare, next(coming)) for _ in range(batch)]
            while True:
                now, ahead = ahead, [pool.submit(engine.prepare, next(coming)) for _ in range(batch)]
                yield [one.result() for one in now]

        done, began, used = 0, 0.0, 0.0
        for number, jpegs in enumerate(batches()):
            if number == 5:  # the first ones build TensorFlow's functions
                done, began, used = 0, time.perf_counter(), _processor_s()
            engine.found(engine.outputs(jpegs), RESULTS)
            done += batch
            if number > 5 and time.perf_counter() - began >= seconds:
                break
        took = time.perf_counter() - began
    return {"per_s": done / took, "processor_ms": 1000 * (_processor_s() - used) / done}


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _bare_loop_alone(shop: ServedShop, seconds: float) -> dict[str, float]:
    """Run it in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.bench_serve", "--shop", str(shop.root), "--bare", str(seconds)]
    said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def _served(serve: Serve, shop: ServedShop, seconds: float) -> dict[str, float]:
    used = serve.processor_s()
    per_s, record = saturated(serve.url, shop.photo_folder, shop.root, seconds, ASKERS)
    return {"per_s": per_s, "processor_ms": 1000 * (serve.processor_s() - used) / len(record.began)}


def _alone(serve: Serve, shop: ServedShop) -> dict[str, Any]:
    """Ask one query at a time; return milliseconds by step, and what passes beside the steps."""
    photos = [path.read_bytes() for path in sorted(shop.photo_folder.rglob("*.jpg"))][:ALONE]
    with httpx.Client(base_url=serve.url, timeout=30) as http:
        times = list[float]()
        for photo in photos[:10] + photos:
            if len(times) == 10:
                before = _steps(http)
            began = time.perf_counter()
            http.post(f"/v1/search?k={RESULTS}", content=photo).raise_for_status()
            times.append(time.perf_counter() - began)
        after = _steps(http)
    steps = {name: round(1000 * (after[name] - before[name]) / len(photos), 3) for name in after}
    whole = 1000 * statistics.mean(times[10:])
    return {"steps_ms": steps, "beside_ms": round(whole - sum(steps.values()), 3), "whole_ms": round(whole, 3)}


def _steps(http: httpx.Client) -> dict[str, float]:
    """Return the seconds that all queries have spent in each step."""
    families = text_string_to_metric_families(http.get("/metrics").text)
    samples = (sample for family in families if family.name == STEP for sample in family.samples)
    return {sample.labels["step"]: sample.value for sample in samples if sample.name == f"{STEP}_sum"}


def measure(shop: ServedShop, seconds: float, rounds: int) -> dict[str, Any]:
    """Let service and bare loop take turns; then ask half as much, and one by one."""
    first = next(iter(shop.releases))
    shop.go_live(first)
    served, bare = list[dict[str, float]](), list[dict[str, float]]()
    with Serve(shop) as serve:
        serve.ready(shop.releases[first])
        for _ in range(rounds):
            served.append(_served(serve, shop, seconds))
            bare.append(_bare_loop_alone(shop, seconds))
            print({"served": served[-1], "bare": bare[-1]}, flush=True)
        most = statistics.median(one["per_s"] for one in served)
        load = Load(serve.url, shop.photo_folder, shop.root / "half.npz", rate=most / 2)
        time.sleep(seconds)
        record = load.end()
        half = summary(record, np.array(record.began) > record.began[0] + 2)
        alone = _alone(serve, shop)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "served_per_s": [round(one["per_s"], 1) for one in served],
        "bare_per_s": [round(one["per_s"], 1) for one in bare],
        "processor_ms_a_query": {
            "served": round(statistics.median(one["processor_ms"] for one in served), 2),
            "bare": round(statistics.median(one["processor_ms"] for one in bare), 2),
        },
        "half_of_that": {"asked_per_s": round(most / 2, 1), **half},
        "one_alone": alone,
    }


def main() -> None:
    """Measure and keep the result."""
    parser = shop_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bare", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        print(json.dumps(bare_loop(ServedShop(given.shop, {}), given.bare)))
        return
    with kept_shop(given) as shop:
        result = measure(shop, given.seconds, given.rounds)
    pairs = zip(result["served_per_s"], result["bare_per_s"], strict=True)
    ratio = statistics.median(served / bare for served, bare in pairs)
    checks = [at_least("queries a second, to those of the bare loop", ratio, 0.85)]
    keep("serve", {"what": "whole queries over HTTP", "items": given.items, **result, "checks": checks})


if __name__ == "__main__":
    main()
