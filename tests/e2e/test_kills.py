"""Every stage is killed with SIGKILL, more than once, and run again: the result is that of an undisturbed run."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.store import open_store
from tests.e2e import facts
from tests.e2e.conftest import STEPS, Shop, copy_of

PATIENCE_S = 400
FIRST = ("--run-id", "first", "--quiet")


def kill_when(shop: Shop, command: str, ripe: Callable[[], bool], after_s: float = 0.0, *options: str) -> bool:
    """Start a command and kill it, with its workers, once `ripe`; return whether it was still at work."""
    process = shop.start(command, "--config", str(shop.config), *(options or FIRST))
    deadline = time.monotonic() + PATIENCE_S
    try:
        while process.poll() is None and not ripe():
            assert time.monotonic() < deadline, (shop.folder / "killed.log").read_text()
            time.sleep(0.01)
        time.sleep(after_s)
        return process.poll() is None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def lease(shop: Shop, stage: str, run_id: str = "first") -> Callable[[], bool]:
    """Return whether a process has taken the stage's lease since this call: one that was killed leaves its own."""
    path = shop.store / "runs" / run_id / stage / "lease.json"

    def held() -> bytes:
        return path.read_bytes() if path.is_file() else b""

    before = held()
    return lambda: held() not in {b"", before}


def committed(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what identifies the files of finished units: a unit made again would have another inode or time."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".tmp" not in path.name]
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def units(shop: Shop) -> set[str]:
    """Return the names of the units of vectors that are finished."""
    return {path.name for path in (shop.store / "embeddings").rglob("*.keys.parquet")}


def ledger(shop: Shop, stage: str) -> dict[str, Any]:
    return facts.ledger(open_store(str(shop.store)), stage)


def test_embed_loses_only_the_units_in_flight(trained: Shop, promoted: Shop, tmp_path: Path) -> None:
    shop = copy_of(trained, tmp_path)
    assert kill_when(shop, "embed", lease(shop, "embed"))
    kill_when(shop, "embed", lambda: bool(units(shop)))
    before = committed(shop.store / "embeddings")
    assert units(shop)
    shop.cli("embed", "--run-id", "first")
    after = committed(shop.store / "embeddings")
    assert {name: after[name] for name in before} == before
    assert units(shop) == units(promoted)
    assert ledger(shop, "embed") == ledger(promoted, "embed")


@pytest.mark.parametrize("moments", [(0.0, 0.4), (0.15, 0.9)])
def test_index_evaluate_and_promote_come_to_the_same(
    trained: Shop, promoted: Shop, tmp_path: Path, moments: tuple[float, float]
) -> None:
    shop = copy_of(trained, tmp_path)
    shop.cli("embed", "--run-id", "first")
    for stage, after_s in zip(("index", "evaluate"), moments, strict=True):
        assert kill_when(shop, stage, lease(shop, stage), after_s)
        assert not (shop.store / "runs" / "first" / stage / "manifest.json").exists()
        assert not list((shop.store / "live").glob("*.json"))
        shop.cli(stage, "--run-id", "first")
        assert ledger(shop, stage) == ledger(promoted, stage)
    kill_when(shop, "promote", lease(shop, "promote"), moments[0] / 10)
    shop.cli("promote", "--run-id", "first")
    assert len(list((shop.store / "live").glob("*.json"))) == 1  # promoted once, however often it was tried
    assert shop.live()["index"]["index_id"] == promoted.live()["index"]["index_id"]
    name = "recall.candidates_at_10"
    assert abs(shop.metrics()[name] - promoted.metrics()[name]) <= 0.005


def train_on_two_machines(shop: Shop, run_id: str, folder: Path) -> None:
    """Kill a training early, and again once it has checkpoints: it goes on from the last one on another machine."""
    with pytest.MonkeyPatch.context() as patch:
        assert kill_when(shop, "train", lease(shop, "train", run_id), 1.0, "--run-id", run_id)
        patch.setenv("TMPDIR", str(one_machine(folder, "killed")))
        assert kill_when(shop, "train", lambda: steps_done(shop, run_id) >= 12, 0.0, "--run-id", run_id)
        reached = steps_done(shop, run_id)
        assert reached < STEPS
        shutil.rmtree(folder / "killed")  # the pod is gone, and all that it had beside the store
        patch.setenv("TMPDIR", str(one_machine(folder, "another")))
        shop.start("train", "--config", str(shop.config), "--run-id", run_id).wait()
    log = (shop.folder / "killed.log").read_text()
    assert f"goes on from step {reached}, " in log
    assert shop.manifest(run_id, "train")["counts"]["ok"] > 0
    assert steps_done(shop, run_id) == 0  # a model is there instead


def one_machine(folder: Path, name: str) -> Path:
    """Return a new folder for what a machine keeps to itself."""
    (folder / name).mkdir()
    return folder / name


def steps_done(shop: Shop, run_id: str) -> int:
    """Return the step of the newest checkpoint of a run's training in the store."""
    kept = (shop.store / "runs" / run_id / "train" / "checkpoints").rglob("*.tar")
    return max((int(path.stem) for path in kept if path.stem.isdigit()), default=0)
