"""Promotions and rollbacks under load: errors, answers that mix releases, and the time of queries while one is swapped.

    python -m benchmarks.bench_swaps [--shop FOLDER] [--swaps 100] [--queries 100000] [--rate N]

Three releases of a drawn shop take turns, of which two have one model and all differ in the id of every item. Queries
by photo come from a process of their own, at moments that do not depend on the answers, half as many a second as the
service can answer, or `--rate`. A query counts as asked while swapping from the entry in the live log until a second
after the release answers; all others are steady, in the same run. The last result stays in benchmarks/results/.
Expected: no error, no mixture, and a 99th percentile while swapping of at most twice the steady one.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.checks import at_least, at_most, keep
from benchmarks.load import Load, Record, saturated, summary
from benchmarks.served import Serve, ServedShop, kept_shop, shop_parser

WARM_S, AFTER_S, LEAST_PAUSE_S = 5.0, 1.0, 1.0
SATURATED_S, ASKERS = 15.0, 32


@dataclass(frozen=True)
class Swap:
    """One exchange: from when to when queries count as its (monotonic seconds), to which release, how long it took."""

    began: float
    ended: float
    name: str
    seconds: float


def swaps_of(shop: ServedShop, serve: Serve, count: int, seconds: float) -> list[Swap]:
    """Have the releases take turns so often, spread over so many seconds; return when that was."""
    names, swaps, begun = [*shop.releases], list[Swap](), time.monotonic()
    for number in range(count):
        name, began = names[(number + 1) % len(names)], time.monotonic()
        shop.go_live(name)
        serve.ready(shop.releases[name])
        took = time.monotonic() - began
        time.sleep(AFTER_S)
        swaps.append(Swap(began, time.monotonic(), name, took))
        time.sleep(max(LEAST_PAUSE_S, begun + (number + 1) * seconds / count - time.monotonic()))
    return swaps


def swapping(record: Record, swaps: list[Swap]) -> np.ndarray:
    """Return which queries were under way while a release was exchanged, bool `[queries]`."""
    began = np.array(record.began)
    ended = began + np.array(record.seconds)
    found = np.zeros(len(began), bool)
    for swap in swaps:
        found |= (ended >= swap.began) & (began <= swap.ended)
    return found


def measure(shop: ServedShop, count: int, queries: int, rate: float | None) -> dict[str, Any]:
    """Measure one service."""
    first = next(iter(shop.releases))
    shop.go_live(first)
    prefixes = json.dumps({release_id: name for name, release_id in shop.releases.items()})
    with Serve(shop) as serve:
        serve.ready(shop.releases[first])
        most, _ = saturated(serve.url, shop.photo_folder, shop.root, SATURATED_S, ASKERS)
        rate = rate or most / 2
        load = Load(serve.url, shop.photo_folder, shop.root / "swaps.npz", rate=rate, releases=prefixes)
        time.sleep(WARM_S)
        before = serve.memory_bytes()
        swaps = swaps_of(shop, serve, count, queries / rate)
        after = serve.memory_bytes()
        record = load.end()
    inside, warm = swapping(record, swaps), np.array(record.began) > record.began[0] + WARM_S
    steady, moved = summary(record, ~inside & warm), summary(record, inside)
    by_release = {
        name: summary(record, swapping(record, [swap for swap in swaps if swap.name == name])) for name in shop.releases
    }
    return {
        "cores": len(os.sched_getaffinity(0)),
        "queries": len(record.began),
        "saturated_per_s": round(most, 1),
        "asked_per_s": round(rate, 1),
        "swaps": len(swaps),
        "swap_s": {
            "median": round(float(np.median([s.seconds for s in swaps])), 2),
            "most": max(s.seconds for s in swaps),
        },
        "steady": steady,
        "swapping": moved,
        "swapping_to": by_release,
        "memory_mib": {"before": before >> 20, "after": after >> 20},
        "errors": int(np.sum(np.array(record.status) != 200)),
        "mixed": int(np.sum(record.mixed)),
    }


def main() -> None:
    """Measure and keep the result."""
    parser = shop_parser(__doc__)
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--rate", type=float, help="queries a second; unset, half of what it can")
    given = parser.parse_args()
    with kept_shop(given) as shop:
        result = measure(shop, given.swaps, given.queries, given.rate)
    ratio = result["swapping"]["p99_ms"] / result["steady"]["p99_ms"]
    checks = [
        at_least("promotions and rollbacks", result["swaps"], 100),
        at_least("queries", result["queries"], 100_000),
        at_most("errors", result["errors"], 0),
        at_most("answers that mix releases", result["mixed"], 0),
        at_most("p99 while swapping, to the steady one", ratio, 2.0),
    ]
    keep("swaps", {"what": "promotions and rollbacks under load", "items": given.items, **result, "checks": checks})


if __name__ == "__main__":
    main()
