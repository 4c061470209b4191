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
from tests.e2e.conftest import Shop, copy_of

PATIENCE_S = 400


def kill_when(shop: Shop, stage: str, ripe: Callable[[], bool], after_s: float = 0.0) -> bool:
    """Start a stage and kill it, with its workers, once `ripe`; return whether it was still at work."""
    process = shop.start(stage, "--config", str(shop.config), "--run-id", "first", "--quiet")
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


def lease(shop: Shop, stage: str) -> Callable[[], bool]:
    path = shop.store / "runs" / "first" / stage / "lease.json"
    return path.is_file


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


def test_train_goes_on_from_its_last_checkpoint_on_another_machine(prepared: Shop, tmp_path: Path) -> None:
    shop = copy_of(prepared, tmp_path)
    shop.configure(r"^steps = 60$", "steps = 61")  # a training of its own, which no other test has begun
    try:
        assert kill_when(shop, "train", lease(shop, "train"), 1.0)
        os.environ["TMPDIR"] = str(one_machine(tmp_path, "killed"))
        assert kill_when(shop, "train", lambda: steps_done(shop) >= 12)
        reached = steps_done(shop)
        assert reached < 61
        shutil.rmtree(os.environ["TMPDIR"])  # the pod is gone, and all that it had beside the store
        os.environ["TMPDIR"] = str(one_machine(tmp_path, "another"))
        shop.start("train", "--config", str(shop.config), "--run-id", "first").wait()
    finally:
        del os.environ["TMPDIR"]
    log = (shop.folder / "killed.log").read_text()
    assert f"goes on from step {reached}, " in log
    assert shop.manifest("first", "train")["counts"]["ok"] > 0
    assert steps_done(shop) == 0  # a model is there instead


def one_machine(folder: Path, name: str) -> Path:
    """Return a new folder for what a machine keeps to itself."""
    (folder / name).mkdir()
    return folder / name


def steps_done(shop: Shop) -> int:
    """Return the step of the newest checkpoint in the store."""
    kept = (shop.store / "runs" / "first" / "train" / "checkpoints").rglob("*.tar")
    return max((int(path.stem) for path in kept if path.stem.isdigit()), default=0)
