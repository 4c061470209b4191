"""The first ten minutes of a newcomer: `make demo` in a fresh clone with a clean environment.

    python -m benchmarks.bench_demo

Keeps when each line came, so that every second has a name, what a training's reports cost (the time between two of its
lines, less that of its steps), and how good the demo's release is. Packages that were downloaded before are taken from
the cache; `download_s` is what their gigabyte would take at 20 MB/s, and counts. The last result stays in
benchmarks/results/. Expected: 7 minutes, .40 of ten results in the photo's leaf, and the product of a street photo
among the first five one time in five, with reports that cost 5 % of a training at most; and 3 seconds for a run that
finds nothing new.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.checks import at_least, at_most, keep
from benchmarks.commands import Line, reports_of, stamped

ROOT = Path(__file__).parents[1]
KEPT = re.compile(r"HOME|PATH|LANG|(PIP|UV)_.*|(HTTPS?|NO)_PROXY", re.IGNORECASE)
"""Variables that a clean environment has: those without which nothing can be downloaded."""
DOWNLOAD_S = 1000 / 20
PARTS = (
    ("set-up", re.compile(r"set-up: ")),
    ("drawing", re.compile(r"demo: drawing ")),
    ("run", re.compile(r"\S*visual-search run ")),
    ("searches and status", re.compile(r'\{"stage": "promote"')),
)
"""What begins with which line; what is before the first is the first's too."""
BATCH = 128


def follow(folder: Path) -> list[Line]:
    """Run `make demo` in a clone, show its lines and return them."""
    environment = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    lines = []
    for line in stamped(["make", "demo"], environment, folder):
        lines.append(line)
        print(f"{line.second:7.1f} {line.text[:150]}", flush=True)
    return lines


def parts_of(lines: Sequence[Line]) -> dict[str, float]:
    """Return the seconds of each part, and of each stage of the run."""
    begins = {name: next(when for when, line in lines if start.match(line)) for name, start in PARTS}
    begins["set-up"] = 0.0
    ends = [*list(begins.values())[1:], lines[-1].second]
    stages = [json.loads(line) for _, line in lines if line.startswith('{"stage"')]
    parts = {name: end - begin for (name, begin), end in zip(begins.items(), ends, strict=True)}
    return parts | {f"run: {stage['stage']}": stage["seconds"] for stage in stages}


def training_of(lines: Sequence[Line]) -> dict[str, float]:
    """Return the seconds of the steps and of the reports of a training, and its photos a second at full size."""
    reports = reports_of(lines)
    steps = [(later.step - earlier.step) * BATCH / later.photos_a_second for earlier, later in pairwise(reports)]
    return {
        "steps_s": sum(steps),
        "reports_s": reports[-1].second - reports[0].second - sum(steps),
        "photos_a_second": reports[-1].photos_a_second,
    }


def seconds_of_nothing(folder: Path) -> float:
    """Return the median seconds of three more runs of a demo, in which nothing is new."""
    command: list[str | Path] = [folder / ".venv/bin/visual-search", "run", "--config"]
    command.append(folder / "work/demo/config.toml")
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds)


def main() -> None:
    """Follow one demo and keep the result."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        lines = follow(clone)
        nothing_s = seconds_of_nothing(clone)
        store = clone / "work/demo/store"
        release = max(store.glob("releases/*/metrics.json"), key=lambda path: path.parent.name)
        metrics: dict[str, float] = json.loads(release.read_text(encoding="utf-8"))
    total, training = lines[-1].second + DOWNLOAD_S, training_of(lines)
    share = training["reports_s"] / (training["reports_s"] + training["steps_s"])
    result: dict[str, Any] = {
        "cores": len(os.sched_getaffinity(0)),
        "seconds": round(lines[-1].second, 1),
        "download_s": DOWNLOAD_S,
        "parts_s": {name: round(value, 1) for name, value in parts_of(lines).items()},
        "training": {name: round(value, 1) for name, value in training.items()},
        "metrics": {name: round(value, 4) for name, value in sorted(metrics.items()) if name.startswith("retrieval.")},
        "checks": [
            at_most("seconds from clone to the last line, with downloads", total, 420),
            at_least("precision at 10 by leaf", metrics["retrieval.p_at_10"], 0.40),
            at_least("a street photo's item in the first five", metrics["retrieval.same_item_hit_at_5"], 0.20),
            at_most("a training's reports, of its time", share, 0.05),
            at_most("seconds of a run that finds nothing new", nothing_s, 3),
        ],
    }
    keep("demo", result)


if __name__ == "__main__":
    main()
