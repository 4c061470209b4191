"""What an allocator that keeps its memory is worth to the stages that compute, as they run: with it and without.

    python -m benchmarks.bench_allocator

Each stage is run on copies of one store, with the C library's allocator as it is and as trainer/process.py sets it up,
in turns. Page faults do not depend on the machine's load, and hardly on the machine; processor's seconds show what they
cost on this one. `train (Eigen)` computes as TensorFlow chooses to on processors without AVX-512. The last result stays
in benchmarks/results/. Expected: a training without the page faults of its steps, and a peak of memory within a tenth.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.checks import at_most, keep
from benchmarks.commands import Usage, run
from benchmarks.photos import photos_of
from benchmarks.shop import CATALOGUE, write_feed

CATEGORIES = 20
CONFIG = f"""
recipe = "ebay"
[store]
uri = "store"
buckets = 4
{CATALOGUE}
[preprocess]
height = 60
width = 48
[train]
steps = {{steps}}
hash_minutes = 0.05
[evaluate] # so few steps teach too little to pass the usual gates
histogram_margin = -1
[evaluate.floors]
"recall.candidates_at_10" = 0.0
"""
EIGEN = {"TF_ENABLE_ONEDNN_OPTS": "0"}
STAGES = ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote")
MODES = {"plain": True, "kept": False}


@dataclass(frozen=True)
class Case:
    """A command to measure: its words, the folder with the store as it finds it, and the environment."""

    name: str
    words: Sequence[str]
    start: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def measure(self, work: Path, plain: bool) -> Usage:
        """Run it on a fresh copy of the store."""
        folder = work / "measured"
        shutil.copytree(self.start, folder, symlinks=True)
        config = ["--config", str(folder / "config.toml")]
        try:
            command, *rest = self.words
            return run([command, *config, *rest], work / "log", plain=plain, environment=self.environment)
        finally:
            shutil.rmtree(folder)


def prepare(work: Path, count: int, steps: int) -> dict[str, Path]:
    """Take a shop through all stages; return a copy of its folder as each stage found it, and `search` at the end."""
    shop = work / "shop"
    shop.mkdir()
    write_feed(shop, photos_of(None, count, shop), CATEGORIES)
    shutil.rmtree(shop / "drawn")
    (shop / "config.toml").write_text(CONFIG.format(count=count, steps=steps), encoding="utf-8")
    copies = {}
    for stage in (*STAGES, "search"):
        copies[stage] = work / f"before-{stage}"
        shutil.copytree(shop, copies[stage], symlinks=True)
        if stage != "search":
            run([stage, "--config", str(shop / "config.toml"), "--run-id", "r", "--quiet"], work / "log")
    return copies


def cases_of(copies: Mapping[str, Path]) -> list[Case]:
    """Return what is measured."""
    stages = [Case(name, (name, "--run-id", "r", "--quiet"), copies[name]) for name in ("train", "embed", "evaluate")]
    eigen = Case("train (Eigen)", stages[0].words, stages[0].start, EIGEN)
    photos = str(copies["search"] / "photos")
    return [eigen, *stages, Case("search", ("search", "--json", photos), copies["search"])]


def measure(work: Path, cases: Sequence[Case], rounds: int) -> dict[str, dict[str, list[Usage]]]:
    """Let all cases take turns; return what each round took, by case and by what the allocator did."""
    used: dict[str, dict[str, list[Usage]]] = {case.name: {mode: [] for mode in MODES} for case in cases}
    for _ in range(rounds):
        for case in cases:
            for mode, plain in MODES.items():
                used[case.name][mode].append(case.measure(work, plain))
                print(case.name, mode, used[case.name][mode][-1], flush=True)
    return used


def ratios(modes: Mapping[str, Sequence[Usage]]) -> dict[str, float]:
    """Return each measure with memory kept, as a share of what it is without; medians of the rounds."""

    def median(mode: str, name: str) -> float:
        return statistics.median(asdict(one)[name] for one in modes[mode])

    names = ("faults", "cpu_s", "wall_s", "peak_bytes")
    return {name: round(median("kept", name) / median("plain", name), 4) for name in names}


def checks(found: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return what is expected of the ratios."""
    expected = []
    for name, ratio in found.items():
        if name.startswith("train"):
            expected.append(at_most(f"{name}: page faults, kept to plain", ratio["faults"], 0.5))
        expected.append(at_most(f"{name}: processor's seconds, kept to plain", ratio["cpu_s"], 1.03))
        expected.append(at_most(f"{name}: peak memory, kept to plain", ratio["peak_bytes"], 1.1))
    return expected


def main() -> None:
    """Measure all cases and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1500, help="photos")
    parser.add_argument("--steps", type=int, default=60, help="of each training")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        used = measure(work, cases_of(prepare(work, args.count, args.steps)), args.rounds)
    rounds = {name: {mode: list(map(asdict, taken)) for mode, taken in modes.items()} for name, modes in used.items()}
    found = {name: ratios(modes) for name, modes in used.items()}
    keep("allocator", {**vars(args), "used": rounds, "ratios": found, "checks": checks(found)})


if __name__ == "__main__":
    main()
