"""The plan of a run beside what the run then took: photos, bytes, seconds.

    python -m benchmarks.bench_plan PHOTOS [--count 3000]

A shop whose photos are behind addresses of a host on this machine (tools/photo_host.py) sells something more each day:
the first day all is new and a model is trained; the second and third a fifth as much is. Before the third day's run
`run --plan` says what it will do and take. The last result stays in benchmarks/results/. Expected: photos and bytes
within 3 %, seconds within 25 %.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.bench_fetch import SHOP, serving
from benchmarks.checks import at_most, keep
from benchmarks.commands import command, run

PHOTOS, LEAVES = 500, 25
CONFIG = f"""{SHOP}
[fetch]
connections = 64
allowed_networks = ["127.0.0.1"]
[preprocess]
height = 64
width = 64
max_group_share = 1.0
[train]
policy = "reuse"
trunk = "tiny"
steps = 150
hash_steps = 50
[evaluate]
floors = {{}}
histogram_margin = -1.0
[prices]
machine_hour = 1.0
"""


def write_feed(path: Path, address: str, count: int) -> None:
    """Write a feed of `count` items; what a photo shows tells its leaf, as the host makes it of its name."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "image", "path", "name"])
        for n in range(count):
            name = f"{n}.jpg"
            shown = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % PHOTOS
            writer.writerow([f"i{n}", f"{address}/{name}", f"Shop > Leaf {shown % LEAVES}", f"Item {n}"])


def planned(config: Path) -> dict[str, Any]:
    """Return what `run --plan` says."""
    words = command(["run", "--plan", "--quiet", "--config", str(config)])
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def took(folder: Path, run_id: str) -> dict[str, dict[str, Any]]:
    """Return the manifests of a run by stage."""
    found = (folder / "store" / "runs" / run_id).glob("*/manifest.json")
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in found}


def _words(config: Path, run_id: str) -> list[str]:
    """Return the arguments of a run; what is measured is what it takes, and not how good this toy is."""
    return ["run", "--config", str(config), "--run-id", run_id, "--accept", "a measurement of time"]


def apart(planned: float, done: float) -> float:
    """Return by what share a plan is beside what was done."""
    return abs(planned - done) / done if done else float(planned != 0)


def measure(photos: Path, folder: Path, count: int) -> dict[str, Any]:
    """Return the plan of the third day and what its run took."""
    config, log = folder / "shop.toml", folder / "log.txt"
    config.write_text(CONFIG, encoding="utf-8")
    with serving(photos, most=PHOTOS) as address:
        for day in (1, 2):
            write_feed(folder / "feed.csv", address, count + (day - 1) * count // 5)
            run(_words(config, f"day{day}"), log)
        write_feed(folder / "feed.csv", address, count + 2 * (count // 5))
        plan = planned(config)
        run(_words(config, "day3"), log)
    done = took(folder, "day3")
    counts = done["preprocess"]["counts"]
    return {
        "plan": plan,
        "photos": {"planned": plan["asked"]["fetched"], "done": counts["fetched"]},
        "inferred": {"planned": plan["todo"]["infer"], "done": done["embed"]["counts"]["inferred"]},
        "bytes": {"planned": plan["fetched_bytes"], "done": counts["bytes"]},
        "seconds": {
            "planned": round(3600 * plan["hours"], 1),
            "done": round(sum(manifest["seconds"] for manifest in done.values()), 1),
        },
        "by_stage": {
            stage: {"planned": plan["seconds"][stage], "done": done[stage]["seconds"]} for stage in plan["seconds"]
        },
    }


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(given.photos, Path(folder), given.count)
    checks = [
        at_most("photos: share between plan and run", apart(**result["photos"]), 0.03),
        at_most("inferences: share between plan and run", apart(**result["inferred"]), 0.03),
        at_most("bytes: share between plan and run", apart(**result["bytes"]), 0.03),
        at_most("seconds: share between plan and run", apart(**result["seconds"]), 0.25),
    ]
    keep("plan", {"what": "run --plan beside the run", "count": given.count, **result, "checks": checks})


if __name__ == "__main__":
    main()
