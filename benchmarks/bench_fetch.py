"""Photos behind addresses, from a host with bad manners: whole, within its limit, and none twice.

    python -m benchmarks.bench_fetch PHOTOS [--count 50000] [--per-second 400] [--img2dataset PROGRAM]

PHOTOS is a folder of JPEGs, of which the host (tools/photo_host.py, a process of its own on this machine) makes as many
as are wanted. Three parts:

* **limited**: two workers; the host answers 429 beyond its limit, and 5 % of requests meet 429, 500, 503, a reset, half
  a body, a stall or silence; 1 % of photos are circles, pages, pixels, 404 or 403. Then two more runs: one at once, one
  when every answer is old.
* **killed**: the same at a tenth of the size, killed with SIGKILL at ten moments.
* **open**: no limit and no faults, ours beside img2dataset (given as the program of an environment of its own) on the
  same host, photos, cores and size of prepared photo; in turn, the better of two each.

The last result stays in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.checks import at_least, at_most, keep
from benchmarks.commands import command, run

ROOT = Path(__file__).parents[1]
LEAVES, KILLS = 50, 10
WORKERS = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
SHOP = """
[store]
uri = "store"
[catalogue]
snapshot = "feed.csv"
[catalogue.columns]
item_id = "sku"
photos = "image"
category = "path"
title = "name"
"""
"""What a config says of a shop whose feed is `feed.csv`."""
CONFIG = """
[fetch]
{fetch}
allowed_networks = ["127.0.0.1"]
[preprocess]
height = 64
width = 64
max_rejected_share = 0.5
photos_a_unit = 1000
[beam]
options = {options}
"""


@contextmanager
def serving(photos: Path, **manners: float) -> Iterator[str]:
    """Start a host; give its address."""
    flags = [word for name, value in manners.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    words = [sys.executable, "-m", "tools.photo_host", str(photos), *flags]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        try:
            yield str(json.loads(host.stdout.readline())["address"])
        finally:
            host.terminate()


def asked(address: str, what: str = "log") -> dict[str, Any]:
    """Return what a host was asked; `forget` begins anew."""
    answer = requests.get(f"{address}/{what}", timeout=60)
    return dict(answer.json()) if what == "log" else {}


class Shop:
    """A shop whose photos are behind addresses."""

    def __init__(self, folder: Path, address: str, count: int, **fetch: Any) -> None:
        self.folder, self.address = folder, address
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "feed.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["sku", "image", "path", "name"])
            for n in range(count):
                writer.writerow([f"i{n}", f"{address}/{n}.jpg", f"Shop > Leaf {n % LEAVES}", f"Item {n}"])
        self.configure(**fetch)

    def configure(self, *, workers: bool = True, **fetch: Any) -> None:
        """Write the config."""
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in fetch.items())
        text = SHOP + CONFIG.format(fetch=lines, options=json.dumps(WORKERS if workers else []))
        (self.folder / "shop.toml").write_text(text, encoding="utf-8")

    def words(self, stage: str, run_id: str) -> list[str]:
        """Return the arguments of a stage's command."""
        return [stage, "--config", str(self.folder / "shop.toml"), "--run-id", run_id]

    def prepare(self, run_id: str) -> dict[str, Any]:
        """Run the stages; return the manifest of the photos' and what the host was asked."""
        log = self.folder / "log.txt"
        run(self.words("catalogue", run_id), log)
        asked(self.address, "forget")
        began = time.perf_counter()
        run(self.words("preprocess", run_id), log)
        wall_s = time.perf_counter() - began
        path = self.folder / "store" / "runs" / run_id / "preprocess" / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return {"wall_s": round(wall_s, 1), "counts": manifest["counts"], "rejects": manifest["rejects"]} | {
            "host": asked(self.address)
        }


def limited(photos: Path, folder: Path, count: int, per_second: float) -> dict[str, Any]:
    """Return what three runs saw of a host that limits rates and fails."""
    with serving(photos, per_second=per_second, faults=0.05, lasting=0.01) as address:
        fetch: dict[str, Any] = {"connections": 256, "requests_per_second": per_second, "idle_s": 2}
        fetch |= {"attempts": 8, "in_flight": 512}
        shop = Shop(folder, address, count, **fetch)
        first = shop.prepare("first")
        second = shop.prepare("second")
        shop.configure(**fetch, max_age_hours=0)
        third = shop.prepare("third")
    return {"first": first, "second": second, "third": third}


def killed(photos: Path, folder: Path, count: int, per_second: float) -> dict[str, Any]:
    """Return what a host saw of a run that was killed at ten moments."""
    chance, kills = random.Random(1), 0
    with serving(photos, per_second=per_second) as address:
        shop = Shop(folder, address, count, connections=64, requests_per_second=per_second)
        shop.configure(workers=False, connections=64, requests_per_second=per_second)
        log = folder / "log.txt"
        run(shop.words("catalogue", "r"), log)
        while kills < KILLS:
            with log.open("a") as file:
                process = subprocess.Popen(
                    command(shop.words("preprocess", "r")), stdout=file, stderr=file, start_new_session=True
                )
            before = asked(address)["photos"]
            wanted = before + count * chance.uniform(0.4, 1.0) / (KILLS + 1)
            while process.poll() is None and asked(address)["photos"] < wanted:
                time.sleep(0.05)
            if process.poll() is not None:
                break
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        run(shop.words("preprocess", "r"), log)
        path = folder / "store" / "runs" / "r" / "preprocess" / "manifest.json"
        return {"kills": kills, "counts": json.loads(path.read_text())["counts"], "host": asked(address)}


def ours(shop: Shop, run_id: str) -> float:
    """Return photos a second of a run, from the first request to the last."""
    done = shop.prepare(run_id)
    return float(done["host"]["photos"] / done["host"]["seconds"])


def img2dataset(program: Path, shop: Shop, name: str) -> float:
    """Return photos a second of img2dataset, from the first request to the last."""
    asked(shop.address, "forget")
    words = [str(program), f"--url_list={shop.folder / 'feed.csv'}", "--input_format=csv", "--url_col=image"]
    words += [f"--output_folder={shop.folder / name}", "--output_format=parquet", "--processes_count=2"]
    words += ["--thread_count=64", "--image_size=64", "--resize_mode=border", "--encode_quality=95"]
    words += ["--number_sample_per_shard=1000", "--retries=3", "--disallowed_header_directives=[]"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = asked(shop.address)
    return float(seen["photos"] / seen["seconds"])


def opened(photos: Path, folder: Path, count: int, program: Path | None) -> dict[str, Any]:
    """Return photos a second of both on a host without a limit, in turn."""
    found: dict[str, list[float]] = {"ours": [], "img2dataset": []}
    for turn in range(2):
        with serving(photos) as address:
            shop = Shop(folder / f"ours-{turn}", address, count, connections=256, in_flight=512)
            found["ours"].append(ours(shop, "r"))
            if program:
                found["img2dataset"].append(img2dataset(program, shop, "img2dataset"))
    return {name: [round(value) for value in values] for name, values in found.items()}


def checks_of(result: dict[str, Any], count: int, per_second: float) -> list[dict[str, Any]]:
    """Return what was expected beside what was seen."""
    first, second, third = (result["limited"][name] for name in ("first", "second", "third"))
    lasting = {"bad_redirect", "not_an_image", "too_small", "missing", "forbidden"}
    counts, stops = first["counts"], result["killed"]["kills"]
    lost = sum(n for code, n in first["rejects"].items() if code not in lasting)
    again, speeds = result["killed"]["host"]["given_more"], result["open"]
    ratio = max(speeds["ours"]) / max(speeds["img2dataset"]) if speeds["img2dataset"] else None
    host = first["host"]
    return [
        at_most("limited: honest photos that are not in", lost, 0),
        at_most("limited: seconds / those that the limit dictates", host["seconds"] / (count / per_second), 1.2),
        at_most("limited: requests in the fullest second / the limit", host["fullest_second"] / per_second, 1.0),
        at_most("limited: requests beyond the limit", host["answers"].get("over", 0), 0),
        at_most("limited: connections at once", host["most_at_once"], 256),
        at_most("limited: rows that the ledger lost", counts["in"] - counts["ok"] - counts["rejected"], 0),
        at_most("limited: photos given twice", host["given_more"], 0),
        at_most("second run: requests", second["host"]["requests"], 0),
        at_most("third run, all answers old: photos given", third["host"]["photos"], 0),
        at_least("third run: photos that had not changed", third["host"]["answers"].get("304", 0), counts["ok"]),
        at_least("killed: moments", stops, KILLS),
        at_most("killed: photos given again a kill", again / max(1, stops), 64 + per_second / 2),
        at_most("killed: photos that are not in", result["killed"]["counts"]["rejected"], 0),
        at_least("open: photos a second / img2dataset's", ratio, 1.0),
    ]


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--per-second", type=float, default=400.0)
    parser.add_argument("--img2dataset", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        folder, tenth = Path(kept), given.count // 10
        result: dict[str, Any] = {
            "what": "photos behind addresses, from a host on this machine",
            "count": given.count,
            "per_second": given.per_second,
            "limited": limited(given.photos, folder / "limited", given.count, given.per_second),
            "killed": killed(given.photos, folder / "killed", tenth, given.per_second),
            "open": opened(given.photos, folder / "open", given.count, given.img2dataset),
        }
    keep("fetch", result | {"checks": checks_of(result, given.count, given.per_second)})


if __name__ == "__main__":
    main()
