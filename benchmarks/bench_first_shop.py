"""A shop's own catalogue behind addresses, tried as a newcomer would: `init`, `check`, its fix, `run`, a live release.

    python -m benchmarks.bench_first_shop WORK PHOTOS [--items 5000] [--leaves 800] [--minutes 10]

PHOTOS is a folder with an `index.csv` of columns path, item_id, l1, l2, l3, gender, colour, title and dup_of, as
fashion60 has. Its photos are served on loopback; the feed in WORK, a folder that is made, is as Excel writes one where
commas stand before decimals, with leaves of three to five levels. What the commands say is kept in the result, but for
how far a training is.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.checks import at_least, at_most, keep
from benchmarks.commands import command, stamped
from pipelines.config import load_config
from pipelines.releases.live import live_release_id
from pipelines.store import open_store
from trainer.process import untouched

ROOT = Path(__file__).parent.parent
CONFIG = "shop.toml"
LONGEST_MINUTES = 30
_DEEPER = 4
"""Items of a type and gender from which on the gender is a level."""
_SIZE = re.compile(r"set preprocess\.height = (\d+) and preprocess\.width = (\d+)")
_PROGRESS = re.compile(r"train: \d+%")
Rows = Sequence[Mapping[str, str]]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def paths_of(rows: Rows, coloured: int) -> list[tuple[str, ...]]:
    """Return the categories of items: with their colour where at least so many are of their type and gender."""
    kinds = Counter((row["l3"], row["gender"]) for row in rows)
    return [
        (row["l1"], row["l2"], row["l3"])
        + (row["gender"],) * (kinds[row["l3"], row["gender"]] >= _DEEPER)
        + (row["colour"],) * (kinds[row["l3"], row["gender"]] >= coloured)
        for row in rows
    ]


def write_feed(path: Path, index: Path, items: int, leaves: int, address: str) -> int:
    """Write a feed of some items in about so many leaves; return how many leaves it has."""
    with index.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["dup_of"]]
    random.Random(5).shuffle(rows)
    rows = rows[:items]
    coloured = min(range(_DEEPER, 200), key=lambda least: abs(leaves - len({*paths_of(rows, least)})))
    paths = paths_of(rows, coloured)
    with path.open("w", encoding="cp1252", errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Product code", "Product name", "Breadcrumb", "Price", "Colour", "Gender", "Image URL"])
        for number, (row, levels) in enumerate(zip(rows, paths, strict=True)):
            price, photo = f"{1 + number % 90},{number % 100:02d} €", f"{address}/{row['path']}"
            writer.writerow(
                [row["item_id"], row["title"], " / ".join(levels), price, row["colour"], row["gender"], photo]
            )
    return len({*paths})


def said(work: Path, *arguments: str) -> dict[str, Any]:
    """Run a command of `visual-search` in a folder; return its exit code, its seconds and the words on the screen."""
    environment = untouched() | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    lines, code, began = list[str](), 0, time.perf_counter()
    try:
        for line in stamped(command(arguments), environment, work):
            lines.append(line.text)
    except subprocess.CalledProcessError as error:
        code = error.returncode
    words = [line.replace(str(work.resolve()), "WORK") for line in lines if not _PROGRESS.match(line)]
    seconds = round(time.perf_counter() - began, 1)
    return {"command": " ".join(arguments), "exit_code": code, "seconds": seconds, "words": words}


def obey(config: Path, checked: Mapping[str, Any], minutes: float) -> None:
    """Write the size that `check` has named, and how long to train."""
    found = next(filter(None, map(_SIZE.search, checked["words"])), None)
    size = f"\n[preprocess]\nheight = {found[1]}\nwidth = {found[2]}\n" if found else ""
    with config.open("a", encoding="utf-8") as file:
        file.write(f"{size}\n[train]\nminutes = {minutes:g}\n")


def main() -> None:
    """Go from a feed to a live release, and keep what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--leaves", type=int, default=800)
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    given.work.mkdir(parents=True)
    config = given.work / CONFIG
    with served(given.photos) as address:
        leaves = write_feed(given.work / "products.csv", given.photos / "index.csv", given.items, given.leaves, address)
        steps = [said(given.work, "init", "products.csv", "--allow-network", "127.0.0.1")]
        steps.append(said(given.work, "check", "--config", CONFIG))
        obey(config, steps[-1], given.minutes)
        steps += [said(given.work, *words, "--config", CONFIG) for words in (("run", "--run-id", "first"), ("status",))]
    store = open_store(load_config(config).store.uri)
    is_live = live_release_id(store) is not None
    minutes = sum(step["seconds"] for step in steps) / 60 if is_live else None
    what = f"minutes from init to a live release, {given.minutes:g} of them training"
    checks = [at_most(what, minutes, LONGEST_MINUTES), at_least("a release is live", float(is_live), 1)]
    load = os.getloadavg()[2]
    keep(
        "first-shop",
        {
            "items": given.items, "leaves": leaves, "cores": os.cpu_count(), "load_15_minutes": round(load, 1),
            "steps": steps, "checks": checks,
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
