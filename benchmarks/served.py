"""A shop to serve: releases that differ in the id of every item, and `visual-search serve` over it as a process."""

from __future__ import annotations

import argparse
import csv
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.commands import command, run
from pipelines.config import Config, load_config
from pipelines.demo.writer import write_catalogue
from pipelines.releases.history import append, make_entry, read_history
from pipelines.releases.release import read_release
from pipelines.store import Store, open_store
from serving.release.memory import held_bytes
from trainer.process import untouched

LEAVES, SEED = 30, 7
CONFIG = """
recipe = "ebay"
[store]
uri = "store"
buckets = 8
[catalogue]
snapshot = "feed.csv"
photo_root = "drawn"
[catalogue.columns]
item_id = "sku"
group_id = "parent_sku"
title = "name"
category = "category"
category_separator = ">"
photos = ["image_1", "image_2", "image_3", "image_4"]
price = "price"
attributes = { colour = "colour", material = "material" }
signals = { sales = "sales" }
[preprocess]
height = 64
width = 48
[train]
trunk = "small"
steps = 100
hash_steps = 20
attributes = ["colour", "material"]
[evaluate]
floors = {}
histogram_margin = -1.0
[serving]
poll_s = 0.2
drain_s = 0.5
queue = 512
"""
LISTENING = re.compile(r"listening on (http://\S+)")
RUNS = {"a": "always", "b": "reuse", "c": "always"}
"""What the ids of each run's release begin with, and when it trains: the second release has the first one's model."""


@dataclass(frozen=True)
class ServedShop:
    """A shop in a folder, whose releases are named by what their items' ids begin with."""

    root: Path
    releases: dict[str, str]

    @property
    def config_path(self) -> Path:
        """The shop's configuration."""
        return self.root / "shop.toml"

    @property
    def config(self) -> Config:
        """The same, read."""
        return load_config(self.config_path)

    @property
    def store(self) -> Store:
        """The shop's store."""
        return open_store(str(self.root / "store"))

    @property
    def photo_folder(self) -> Path:
        """Photos to ask with: what customers sent."""
        return self.root / "drawn/street"

    @property
    def live(self) -> str:
        """The release that is live."""
        return str((read_history(self.store).live or {})["release_id"])

    def go_live(self, name: str) -> int:
        """Append a release to the live log, without the checks of a promotion; return the entry's number."""
        release, history = read_release(self.store, self.releases[name]), read_history(self.store)
        live = history.live["release_id"] if history.live else None
        action = "rollback" if release.release_id in history.returnable()[1:] else "promote"
        entry = make_entry(release, action, live, run_id=release.run_id, config_digest="", reason="measured")
        if not append(self.store, history, entry):
            raise RuntimeError(f"another process appends to the live log of {self.store.uri}")
        return history.number + 1


def make_shop(folder: Path, items: int) -> ServedShop:
    """Return the shop of a folder; what of it is not there yet is drawn, trained and released by the pipeline."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = ServedShop(folder, {})
    shop.config_path.write_text(CONFIG, encoding="utf-8")
    if not (folder / "drawn/truth.json").exists():
        write_catalogue(folder / "drawn", items=items, leaf_categories=LEAVES, seed=SEED)
    for name, policy in RUNS.items():
        _write_feed(folder, name)
        words = ["run", "--config", str(shop.config_path), "--run-id", name, "--policy", policy, "--quiet"]
        run([*words, "--accept", "a measurement of the service"], folder / "log.txt")
        shop.releases[name] = _release_of(shop.store, name)
    return shop


def shop_parser(doc: str | None) -> argparse.ArgumentParser:
    """Return the command line of a measurement that `kept_shop` has a shop for."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", type=Path, help="a folder where the shop is kept for the next time")
    parser.add_argument("--items", type=int, default=1500)
    return parser


@contextmanager
def kept_shop(given: argparse.Namespace) -> Iterator[ServedShop]:
    """Give the shop of such a command line; it goes afterwards, unless its folder was named."""
    with tempfile.TemporaryDirectory() as folder:
        yield make_shop(given.shop or Path(folder), given.items)


def _write_feed(folder: Path, name: str) -> None:
    """Write the drawn feed under other ids."""
    with (folder / "drawn/products.csv").open(encoding="utf-8", errors="replace", newline="") as source:
        whole = [row for row in csv.DictReader(source) if None not in row and None not in row.values()]
    with (folder / "feed.csv").open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(whole[0]))
        writer.writeheader()
        writer.writerows(row | {"sku": name + row["sku"], "parent_sku": name + row["parent_sku"]} for row in whole)


def _release_of(store: Store, run_id: str) -> str:
    return next(str(e["release_id"]) for _, e in read_history(store).entries if e["run_id"] == run_id)


class Serve:
    """`visual-search serve` as a process; what it says is in a log."""

    def __init__(self, shop: ServedShop, port: int = 0, before: str = "", **environment: str) -> None:
        """Start it; `before` is code that runs first in the process."""
        self.log = shop.root / f"serve-{time.monotonic_ns()}.log"
        words = command(["serve", "--config", str(shop.config_path), "--port", str(port)], before)
        with self.log.open("wb") as log:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                words, stdout=log, stderr=log, env=untouched() | environment
            )
        self.url = self._url()
        self._http = httpx.Client(base_url=self.url, timeout=10)  # one: each that is made costs 70 ms of a core
        self.port = int(self.url.rpartition(":")[2])

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def told(self) -> dict[str, Any]:
        """Return what /readyz says; nothing where nobody answers."""
        try:
            return dict(self._http.get("/readyz").json())
        except httpx.TransportError:
            return {}

    def ready(self, release_id: str, within_s: float = 600, pause_s: float = 0.1) -> None:
        """Wait until it answers from a release."""
        until = time.monotonic() + within_s
        while (told := self.told()).get("release_id") != release_id or told["status"] != "ready":
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(f"{release_id} does not answer: {told}\n{self.log.read_text()[-2000:]}")
            time.sleep(pause_s)

    def memory_bytes(self) -> int:
        """Return what it and the processes of its models hold for themselves, each byte that they share once."""
        return held_bytes(self.process.pid)

    def processor_s(self) -> float:
        """Return the seconds of a processor that it and they have used, also those that have ended."""
        own = psutil.Process(self.process.pid)
        return sum(sum(each.cpu_times()[:4]) for each in [own, *own.children(recursive=True)])

    def _url(self) -> str:
        until = time.monotonic() + 300
        while not (found := LISTENING.search(self.log.read_text(encoding="utf-8"))):
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(f"it does not listen\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        return found[1]
