"""How each stage's peak memory grows with the catalogue: from 20,000 to 80,000 items, a photo of about 20 KB each.

    python -m benchmarks.bench_memory
    python -m benchmarks.bench_memory --counts 5000 20000

Every stage is a process of its own, so that its peak holds no other's; what importing costs is in both sizes and falls
out of the growth. The index is there to be held in memory: the stage that builds it is left out of the bound, and its
files are taken off the stage that searches it. Photos that fit
`train.memory_bytes` are kept decoded, which is a budget and not a growth: here it is 64 MB, which neither size fits.
The last result stays in benchmarks/results/. Expected: 2 KB an item at most.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.photos import photos_of
from benchmarks.shop import CATALOGUE, write_feed
from pipelines.config import load_config
from pipelines.runs.stages import STAGES
from pipelines.store import open_store

RESULTS = Path(__file__).parent / "results"
SIZE, CATEGORIES = (360, 480), 50  # of the 500 photos that differ, ten a category
BOUND = 2048
CONFIG = f"""
recipe = "ebay"
[store]
uri = "store-{{count}}"
{CATALOGUE}
[preprocess]
height = 64
width = 48
[train]
steps = 100
hash_minutes = 0.2
memory_bytes = 67108864
[evaluate] # a hundred steps teach too little to pass the usual gates
histogram_margin = -1
[evaluate.floors]
"recall.candidates_at_10" = 0.0
"""


def write_config(work: Path, count: int) -> Path:
    """Write the configuration of the shop of `count` items."""
    config = work / f"config-{count}.toml"
    config.write_text(CONFIG.format(count=count), encoding="utf-8")
    return config


def peaks(config: Path) -> dict[str, int]:
    """Run every stage by the command line in a process of its own; return the peak bytes of each."""
    command = [sys.executable, "-m", "pipelines.cli"]
    found = {}
    for stage in STAGES:
        options = ["--config", str(config), "--run-id", "bench", "--quiet", "--accept", "a benchmark"]
        subprocess.run([*command, stage, *options], check=True, stdout=subprocess.DEVNULL)
        manifest = open_store(load_config(str(config)).store.uri).read_json(f"runs/bench/{stage}/manifest.json")
        found[stage] = int(manifest["peak_memory_bytes"])
        print(f"{config.stem} {stage}: {found[stage] / 1e6:,.0f} MB in {manifest['seconds']:,.0f} s", flush=True)
    return found


def index_bytes(config: Path) -> int:
    """Return the bytes of the files that a search opens."""
    store = open_store(load_config(str(config)).store.uri)
    return sum(entry.size_bytes for entry in store.list("indexes") if "/similar/" not in entry.name)


def main() -> None:
    """Measure two sizes and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs=2, default=(20_000, 80_000))
    few, many = parser.parse_args().counts
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        photos = photos_of(None, many, work, SIZE)
        size = sum(path.stat().st_size for path in photos) // many
        for count in (few, many):
            write_feed(work, photos[:count], CATEGORIES)
        configs = [write_config(work, count) for count in (few, many)]
        small, large = (peaks(config) for config in configs)
        index = round((index_bytes(configs[1]) - index_bytes(configs[0])) / (many - few))
    growth = {stage: round((large[stage] - small[stage]) / (many - few)) for stage in STAGES}
    judged = {stage: value for stage, value in growth.items() if stage != "index"}
    judged["evaluate"] -= index
    result: dict[str, Any] = {
        "items": [few, many],
        "photo_bytes": size,
        "peak_mb": {stage: [round(small[stage] / 1e6), round(large[stage] / 1e6)] for stage in STAGES},
        "growth_bytes_an_item": growth,
        "index_bytes_an_item": index,
        "within_2_kb": all(value <= BOUND for value in judged.values()),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "memory.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
