"""What a Flink cluster costs on one machine: seconds of each stage beside the run in process, and where they go.

    python -m benchmarks.bench_flink --config work/demo/config.toml

The catalogue of a config goes through every stage twice, into stores of its own: in process, then on a JobManager, two
TaskManagers and Beam's job server on the same cores, with the model of the first. An empty job is measured too: what a
job costs before it does anything, which is what a stage of few photos is made of. `busy_s` is from the first step that
runs to the last that ends, `startup_s` what comes before that in Flink, and `launcher_s` what the command does
beside waiting for jobs: importing, packing the project, translating, and the stage's own work.
The last result stays in benchmarks/results/. A cluster pays where there is more than one machine: nothing is expected.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import apache_beam as beam
import requests

from pipelines.config import BeamSection, load_config
from pipelines.jobs.jobs import Jobs
from pipelines.runs.stages import STAGES
from pipelines.store import open_store
from tools.flink_parts import get
from tools.local_flink import LocalFlink
from tools.ports import free_port
from tools.setup_env import cache_folder

RESULTS = Path(__file__).parent / "results"
TASK_MANAGERS = 2
LENT = ("models", "runs/bench/train")


def timed_run(config: Path, stages: tuple[str, ...]) -> dict[str, float]:
    """Run stages by the command line, each a process; return the seconds of each command, start of Python included."""
    seconds = {}
    for stage in stages:
        started = time.monotonic()
        command = [sys.executable, "-m", "pipelines.cli", stage, "--config", str(config), "--run-id", "bench", "-q"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds[stage] = round(time.monotonic() - started, 1)
    return seconds


def with_store(config: Path, store: Path, more: str = "") -> Path:
    """Write a copy of a config beside it, for another store; return its path."""
    loaded = load_config(config)
    text = config.read_text(encoding="utf-8")
    written = text[text.index("[store]") :].split("\n", 2)[1]
    path = config.with_name(f".bench-{store.name}.toml")
    path.write_text(text.replace(written, f'uri = "{store}"', 1) + f"\n{more}", encoding="utf-8")
    assert load_config(path).catalogue == loaded.catalogue
    return path


def steps(rest: str) -> list[dict[str, Any]]:
    """Return every job of a cluster: its stage and step, its seconds in Flink, and how many of them it was at work."""
    found = []
    for job in requests.get(f"{rest}/jobs/overview", timeout=10).json()["jobs"]:
        detail = requests.get(f"{rest}/jobs/{job['jid']}", timeout=10).json()
        starts = [vertex["start-time"] for vertex in detail["vertices"] if vertex["start-time"] > 0]
        ends = [vertex["end-time"] for vertex in detail["vertices"]]
        busy = (max(ends) - min(starts)) / 1000
        found.append({"name": job["name"], "flink_s": job["duration"] / 1000, "busy_s": busy, "at": job["start-time"]})
    return sorted(found, key=lambda job: job["at"])


def empty_job(cluster: LocalFlink) -> dict[str, float]:
    """Return what a job costs that does nothing, with workers that have the package already."""
    jobs, seconds = Jobs(BeamSection(**tomllib.loads(cluster.settings())["beam"]), "bench"), []
    for step in ("warm-up", "empty"):
        started = time.monotonic()
        jobs.run(step, lambda pipeline: pipeline | beam.Create([1, 2]) | beam.Map(str))
        seconds.append(time.monotonic() - started)
    last = next(job for job in steps(cluster.rest) if "empty" in job["name"])
    return {"wall_s": round(seconds[-1], 1), "flink_s": round(last["flink_s"], 1), "busy_s": round(last["busy_s"], 1)}


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--work", type=Path, help="an empty folder for the two stores, which are kept there")
    chosen = parser.parse_args()
    config, parts = chosen.config.resolve(), get(cache_folder())
    with (
        tempfile.TemporaryDirectory(prefix="bench-flink-")
        if chosen.work is None
        else nullcontext(chosen.work) as scratch
    ):
        here, there = Path(scratch, "process"), Path(scratch, "flink")
        cluster = LocalFlink(Path(scratch, "cluster"), free_port(), free_port())
        written = []
        try:
            written.append(with_store(config, here))
            in_process = timed_run(written[0], STAGES)
            cluster.start(parts, TASK_MANAGERS)
            floor = empty_job(cluster)
            written.append(with_store(config, there, cluster.settings()))
            on_flink = timed_run(written[1], STAGES[:2])
            for name in LENT:
                shutil.copytree(here / name, there / name)
            on_flink |= timed_run(written[1], STAGES[3:])
            jobs = steps(cluster.rest)
        finally:
            cluster.stop()
            for path in written:
                path.unlink()
        photos = open_store(str(here)).read_json("runs/bench/preprocess/manifest.json")["counts"]["in"]
    stages = {}
    for stage in on_flink:
        mine = [job for job in jobs if f"bench-{stage}-" in job["name"]]
        flink, busy = sum(job["flink_s"] for job in mine), sum(job["busy_s"] for job in mine)
        stages[stage] = {
            "in_process_s": in_process[stage],
            "flink_s": on_flink[stage],
            "ratio": round(on_flink[stage] / in_process[stage], 2),
            "jobs": len(mine),
            "busy_s": round(busy, 1),
            "startup_s": round(flink - busy, 1),
            "launcher_s": round(on_flink[stage] - flink, 1),
        }
    result = {
        "photos": photos,
        "cores": len(os.sched_getaffinity(0)),
        "job_server": parts.what,
        "empty_job": floor,
        "stages": stages,
    }
    print(json.dumps(result, indent=1))
    (RESULTS / "flink.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
