"""A small synthetic catalogue, taken to a promoted release through the command line, once; tests work on copies."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.demo.config import write_config
from pipelines.demo.writer import write_catalogue
from pipelines.runs.stages import STAGES
from pipelines.train.launch import MODULE
from trainer.config import TrainOutcome, TrainSpec

ITEMS, LEAVES, SEED = 260, 16, 5
FOLDER = "shöp [v2] 50%25 {a}#1"
"""Libraries take most of this for a pattern, an escape or the end of a path."""
STEPS = 60
SHORT = f"""
[train]
trunk = "tiny"
steps = {STEPS}
batch = 64
hash_steps = 24
checkpoint_s = 1
max_accuracy_drop = 1.0
min_images = 50
"""
LENIENT = """
[evaluate]
queries = 300
roles = ["main", "street"]
margins = {}
histogram_margin = -1
"""


@dataclass(frozen=True)
class Shop:
    """A folder with a catalogue, a config and, once it was run, a store."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def cli(self, command: str, *arguments: str, code: int | None = 0) -> Result:
        """Run a command in this process and check its exit code, unless any will do."""
        result = CliRunner().invoke(main, [command, "--config", str(self.config), *arguments])
        if result.exc_info and not isinstance(result.exception, SystemExit | None):
            raise result.exception
        assert code is None or result.exit_code == code, f"exit code {result.exit_code}: {result.output}"
        return result

    def run(self, run_id: str, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
        """Run stages; return their last lines by stage."""
        lines = [
            json.loads(line) for line in self.cli("run", "--run-id", run_id, *arguments, code=code).stdout.splitlines()
        ]
        return {line["stage"]: line for line in lines}

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own, so that a test can kill it with all its workers."""
        command = [sys.executable, "-m", "pipelines.cli", *arguments]
        log = (self.folder / "killed.log").open("ab")
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=dict(os.environ))

    def manifest(self, run_id: str, stage: str) -> dict[str, Any]:
        """Return a stage's manifest."""
        value: dict[str, Any] = json.loads((self.store / "runs" / run_id / stage / "manifest.json").read_text())
        return value

    def live(self) -> dict[str, Any]:
        """Return the manifest of the live release."""
        newest = max((self.store / "live").glob("*.json"), key=lambda path: path.name)
        release_id = json.loads(newest.read_text())["release_id"]
        value: dict[str, Any] = json.loads((self.store / "releases" / release_id / "manifest.json").read_text())
        return value

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the live release."""
        value: dict[str, float] = json.loads(
            (self.store / "releases" / self.live()["release_id"] / "metrics.json").read_text()
        )
        return value

    def truth(self) -> dict[str, Any]:
        """Return what the synthetic catalogue knows of itself."""
        value: dict[str, Any] = json.loads((self.folder / "truth.json").read_text())
        return value

    def configure(self, pattern: str, replacement: str) -> None:
        """Change the config; the pattern must be there."""
        text, count = re.subn(pattern, replacement, self.config.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert count, f"{pattern} is not in {self.config}"
        self.config.write_text(text, encoding="utf-8")

    def rewrite(self, change: Callable[[list[str]], list[str]]) -> None:
        """Rewrite the feed by a function from its lines (the heading left out) to its new lines."""
        path = self.folder / "products.csv"
        heading, *lines = path.read_bytes().decode("utf-8", "surrogateescape").splitlines()
        text = "\n".join([heading, *change(lines)]) + "\n"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))


MakeOnce = Callable[[str, Callable[[Path], Shop]], Shop]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Make a shop by its name, once for all processes of a test run: the first that asks makes it, others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shops"

    def make(name: str, fill: Callable[[Path], Shop]) -> Shop:
        folder.mkdir(exist_ok=True)
        made = folder / f"{name}.made"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if made.exists():
                return Shop(Path(made.read_text(encoding="utf-8")))
            shutil.rmtree(folder / name, ignore_errors=True)  # of a process that failed at it
            (folder / name).mkdir()
            shop = fill(folder / name)
            made.write_text(str(shop.folder), encoding="utf-8")
        return shop

    return make


@pytest.fixture(scope="session")
def drawn(once: MakeOnce) -> Shop:
    """A catalogue that nothing has read yet; photos small, training short."""
    return once("drawn", draw)


def draw(folder: Path) -> Shop:
    """Draw the catalogue and write its config."""
    shop = Shop(folder / FOLDER)
    write_catalogue(shop.folder, items=ITEMS, leaf_categories=LEAVES, seed=SEED)
    write_config(shop.folder)
    text = shop.config.read_text(encoding="utf-8")
    attributes = re.search(r"^attributes = \[.*\]$", text, re.MULTILINE)
    assert attributes
    head = text[: text.index("[preprocess]")]
    sizes = "[preprocess]\nheight = 40\nwidth = 32\nphotos_a_unit = 150\n"
    tail = f"{SHORT}{attributes[0]}\n[embed]\nphotos_a_unit = 150\nbatch = 64\n{LENIENT}"
    shop.config.write_text(f"{head}{sizes}{tail}", encoding="utf-8")
    return shop


@pytest.fixture(scope="session")
def prepared(once: MakeOnce, drawn: Shop) -> Shop:
    """The catalogue after the first two stages of the run `first`."""

    def fill(folder: Path) -> Shop:
        shop = copy_of(drawn, folder)
        assert tuple(shop.run("first", "--to", "preprocess")) == STAGES[:2]
        return shop

    return once("prepared", fill)


@pytest.fixture(scope="session")
def trained(once: MakeOnce, prepared: Shop) -> Shop:
    """The same after train."""

    def fill(folder: Path) -> Shop:
        shop = copy_of(prepared, folder)
        shop.cli("train", "--run-id", "first")
        return shop

    return once("trained", fill)


@pytest.fixture(scope="session")
def promoted(once: MakeOnce, trained: Shop) -> Shop:
    """The catalogue with a live release, made by the run `first`."""

    def fill(folder: Path) -> Shop:
        shop = copy_of(trained, folder)
        assert tuple(shop.run("first", "--from", "embed")) == STAGES[3:]
        return shop

    return once("promoted", fill)


def copy_of(shop: Shop, folder: Path) -> Shop:
    """Return a copy with the same modification times, so that no photo seems to have changed."""
    shutil.copytree(shop.folder, folder / FOLDER, symlinks=True)
    return Shop(folder / FOLDER)


@pytest.fixture
def trained_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings run in this process, which imports TFX once; that they have one of their own, others show."""

    def run_here(spec: TrainSpec, progress: Callable[[str], None], _: str = MODULE) -> TrainOutcome:
        from pipelines.train.tfx_pipeline import run_tfx

        return run_tfx(spec, progress)

    monkeypatch.setattr("pipelines.train.launch.run_in_subprocess", run_here)


@pytest.fixture
def shop(promoted: Shop, tmp_path: Path) -> Shop:
    """A copy of the promoted shop, to change."""
    return copy_of(promoted, tmp_path)
