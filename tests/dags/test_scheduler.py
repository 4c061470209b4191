"""A real scheduler on PostgreSQL and the real commands: a day of kills, what it starts, a busy day, a backfill."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dags.airflow_api import ROOT, started
from tests.dags.conftest import needs_postgres
from tests.dags.consumers import CONSUMER, SENDER, with_consumers
from tests.waiting import until
from tools.ports import free_port

pytestmark = pytest.mark.slow

SEARCH, PYTHON = ROOT / ".venv" / "bin" / "visual-search", ROOT / ".venv" / "bin" / "python"
STAGES = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
DAYS = ("2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23")
DAILY, DELTA, BACKFILL = "visual_search_daily", "visual_search_delta", "visual_search_backfill"
SHORT = """
[preprocess]
height = 40
width = 32
photos_a_unit = 150
[train]
trunk = "tiny"
steps = 60
batch = 64
hash_steps = 24
checkpoint_s = 1
max_accuracy_drop = 1.0
min_images = 50
[embed]
photos_a_unit = 150
batch = 64
[evaluate]
queries = 300
margins = {}
histogram_margin = -1
"""


class Shop:
    """A drawn catalogue in a folder, and its store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config, self.store = folder, folder / "config.toml", folder / "store"

    def draw(self) -> None:
        """Draw 260 products; deltas may come."""
        self.call("demo", str(self.folder), "--items", "260", "--leaf-categories", "16", "--seed", "5", "--quiet")
        text = self.config.read_text()
        text = re.sub(r'^snapshot = "(.*)"$', r'snapshot = "\1"\ndeltas = "deltas/*.jsonl"', text, flags=re.MULTILINE)
        text = text.replace("[catalogue.columns]", '[catalogue.columns]\ndeleted = "gone"')
        self.config.write_text(text[: text.index("[preprocess]")] + SHORT)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the pipeline's own command line."""
        return subprocess.run([str(SEARCH), *arguments], check=True, capture_output=True, text=True, cwd=ROOT)

    def facts(self, run_id: str) -> dict[str, Any]:
        """Return what the store holds."""
        command = [str(PYTHON), str(Path(__file__).with_name("store_facts.py")), str(self.store), run_id]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def delete(self, name: str, item: str, where: str = "deltas") -> None:
        """Deliver a delta that deletes an item."""
        row = {"sku": item, "gone": "yes", "updated": f"2026-11-2{name[-1]}T00:00:00Z"}
        beside = self.folder / "deltas" / f".{name}"
        beside.write_text(json.dumps(row) + "\n")
        beside.rename(self.folder / where / f"{name}.jsonl")


class KillEachOnce(threading.Thread):
    """Kills, with SIGKILL and all it started, the command of each stage of a run the first time that it is at work."""

    def __init__(self, store: Path) -> None:
        super().__init__(daemon=True)
        self.store, self.killed, self.over = store, set[str](), threading.Event()

    def run(self) -> None:
        """Watch for leases: they name the process."""
        while not self.over.wait(0.005):
            for lease in self.store.glob("runs/*/*/lease.json"):
                stage = lease.parent.name
                if stage in self.killed:
                    continue
                try:
                    pid = json.loads(lease.read_text())["pid"]
                    time.sleep(0.02 if stage in {"catalogue", "promote"} else 1.0)
                    if lease.exists():
                        os.killpg(os.getpgid(pid), signal.SIGKILL)
                        self.killed.add(stage)
                except (OSError, ValueError):
                    continue


@pytest.fixture
def shop() -> Iterator[Shop]:
    with tempfile.TemporaryDirectory(prefix="scheduled-") as path:
        Path(path).chmod(0o755)  # PostgreSQL may run as another user
        shop = Shop(Path(path) / "shop")
        shop.draw()
        yield shop


@pytest.mark.timeout(3600)
def test_days_feeds_and_a_backfill_by_a_real_scheduler(shop: Shop) -> None:
    needs_postgres()
    peaceful = Shop(shop.folder.parent / "peaceful")
    shutil.copytree(shop.folder, peaceful.folder, symlinks=True)
    peaceful.call("run", "--config", str(peaceful.config), "--run-id", "r", "--quiet")
    home = shop.folder.parent / "home"
    more = with_consumers(shop.folder) | {"VISUAL_SEARCH_RETRY_S": "2"}
    with started(shop.config, home, free_port(), "--postgres", **more) as airflow:
        until(lambda: {DAILY, DELTA, BACKFILL, CONSUMER, SENDER} <= airflow.dags(), 120, "the DAGs")
        for dag_id in (CONSUMER, SENDER, DELTA):
            airflow.unpause(dag_id)

        # a scheduled day, each of its stages killed once: as if nothing had happened
        killer = KillEachOnce(shop.store)
        killer.start()
        airflow.unpause(DAILY)
        until(lambda: bool(airflow.runs(DAILY)), 60, "a scheduled run")
        (day,) = airflow.runs(DAILY)
        assert day.startswith("scheduled__")
        assert airflow.finished(DAILY, day) == dict.fromkeys(STAGES, "success")
        killer.over.set()
        assert killer.killed >= set(STAGES[:-1])  # promote may be too quick
        tasks = airflow.tasks(DAILY, day)
        assert {name for name, task in tasks.items() if task["try_number"] == 2} == killer.killed
        first = next(path.name for path in (shop.store / "runs").iterdir())
        mine, theirs = shop.facts(first), peaceful.facts("r")
        for what in ("ledgers", "images", "embeddings", "items"):
            assert mine[what] == theirs[what], what
        assert mine["embeddings"]["most"] == 1

        # its release starts a consumer, once, and tells it which run it is of
        (event,) = airflow.asset_events("visual_search_release")
        assert (event["source_dag_id"], event["source_task_id"]) == (DAILY, "promote")
        assert event["extra"]["run_id"] == first
        until(lambda: bool(airflow.runs(CONSUMER)), 60, "a run of the consumer")
        (informed,) = airflow.runs(CONSUMER)
        assert airflow.finished(CONSUMER, informed) == {"reload": "success"}
        assert airflow.result(CONSUMER, informed, "reload") == [first]

        # and it starts a shop that has held a feed back, whose feed goes live without a retrain
        gone, busy = mine["items"][:2]
        until(lambda: len(airflow.runs(SENDER)) == 1, 60, "a run of the sender")
        assert airflow.runs(DELTA) == {}
        shop.delete("delta-1", gone, "outbox")
        (shop.folder / "outbox" / "open").unlink()
        until(lambda: len(airflow.runs(DELTA)) == 1, 120, "a run of the feed")
        (run,) = airflow.runs(DELTA)
        assert run.startswith("asset_triggered__")
        assert airflow.finished(DELTA, run) == dict.fromkeys(STAGES, "success")
        assert gone not in shop.facts(first)["items"]
        assert [one["source_dag_id"] for one in airflow.asset_events("visual_search_release")] == [DELTA, DAILY]
        until(
            lambda: len(airflow.runs(SENDER)) == len(airflow.runs(CONSUMER)) == 2, 60, "what the second release starts"
        )
        (second,) = set(airflow.runs(SENDER)) - {min(airflow.runs(SENDER))}
        assert airflow.finished(SENDER, second) == {"send": "skipped"}
        assert len(airflow.runs(DELTA)) == 1
        feed = airflow.asset("visual_search_feed")

        # yesterday's task, cleared and run again, promotes nothing older
        live = shop.facts(first)["live"]
        again = {"dry_run": False, "dag_run_id": day, "task_ids": ["promote"], "only_failed": False}
        airflow.ask(f"/api/v2/dags/{DAILY}/clearTaskInstances", again)
        airflow.finished(DAILY, day)
        assert shop.facts(first)["live"] == live

        # what a feed deletes while a daily run is busy stays deleted
        slow = airflow.trigger(DAILY)
        until(lambda: airflow.tasks(DAILY, slow)["catalogue"]["state"] == "success", 300, "the catalogue of a busy day")
        shop.delete("delta-2", busy)
        airflow.ask("/api/v2/assets/events", {"asset_id": feed})
        until(lambda: len(airflow.runs(DELTA)) == 2, 60, "a run of the second feed")
        (other,) = set(airflow.runs(DELTA)) - {run}
        assert set(airflow.finished(DELTA, other).values()) <= {"success", "skipped"}
        assert set(airflow.finished(DAILY, slow).values()) <= {"success", "skipped"}
        facts = shop.facts(first)
        assert not {gone, busy} & set(facts["items"])

        # three past days
        assert facts["catalogues"] >= 3
        for number in range(1, facts["catalogues"] + 1):
            path = shop.store / "catalogue" / "log" / f"{number:08d}.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"at": f"{DAYS[number - 1]}T02:00:00+00:00"}))
        airflow.unpause(BACKFILL)
        past = airflow.trigger(BACKFILL, start=DAYS[0], end=DAYS[2])
        assert airflow.finished(BACKFILL, past) == {"plan": "success", "backfill": "success"}
        done = shop.facts(first)
        assert len(done["live"]) == len(facts["live"]) + 1
        assert done["live"][-1].startswith("backfill-manual__")
        assert done["items"] == facts["items"]
        runs = [path.name for path in (shop.store / "runs").glob("backfill-*")]
        assert {name.rsplit(".", 1)[1] for name in runs} >= set(DAYS[:2])
