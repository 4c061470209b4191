"""Starting a stage as a process of its own, and killing it at a moment that the files in its store tell."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.catalogue.shop import Shop

ROOT = Path(__file__).parents[2]
Files = dict[str, tuple[int, int]]


def start(shop: Shop, stage: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipelines.cli", stage, "--config", str(shop.config), "--run-id", "r"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_when(shop: Shop, stage: str, ready: Callable[[], bool]) -> str:
    """Run the stage, and kill -9 it as soon as it is ready; what it had said on stderr."""
    process = start(shop, stage)
    end = time.monotonic() + 120
    while not ready():
        assert process.poll() is None, f"{stage} ended before it could be killed: {process.communicate()[1]}"
        assert time.monotonic() < end, f"{stage} never came to where it was to be killed"
        time.sleep(0.001)
    process.kill()
    stdout, stderr = process.communicate()
    assert process.returncode == -9
    assert stdout == ""
    return stderr


def finish(shop: Shop, stage: str) -> str:
    """Run the stage to its end; what it said on stderr."""
    process = start(shop, stage)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert len(stdout.splitlines()) == 1
    return stderr


def names(shop: Shop, *patterns: str) -> set[str]:
    """Objects of the store that match one of the patterns."""
    return {p.relative_to(shop.root / "store").as_posix() for g in patterns for p in (shop.root / "store").glob(g)}


def files(shop: Shop, objects: Iterable[str]) -> Files:
    """Which file each object is: a rewritten one is another, though its bytes be equal."""
    stats = {name: (shop.root / "store" / name).stat() for name in objects}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def what_it_did(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest without times and places."""
    return {name: manifest[name] for name in ("counts", "rejects", "outputs", "notes", "config_digest")}
