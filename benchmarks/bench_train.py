"""A training as the train stage runs it, beside the same training in PyTorch: same net, photos, batch and cores.

    python3 -m venv work/torch && work/torch/bin/pip install torch numpy     # PyTorch is no dependency of the project
    python -m benchmarks.bench_train --torch work/torch/bin/python

The stage is the command `visual-search train`, in processes of its own, on the prepared photos of a drawn shop. Its
speed is that of the part at full size, with the reports and checkpoints in it; PyTorch's loop (torch_training.py) has
neither. PyTorch runs as it comes, and with what trainer/process.py sets, and its faster way counts. Both take turns.
The last result stays in benchmarks/results/. Expected: no slower than PyTorch, at 60 x 48 and at 96 x 96.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.checks import at_least, keep
from benchmarks.commands import command, reports_of, run, stamped
from benchmarks.shop import with_training
from pipelines.config import load_config
from pipelines.demo.config import write_config
from pipelines.demo.writer import write_catalogue
from pipelines.store import open_store
from trainer.process import ENVIRONMENT, untouched
from transforms.tf_pixels import decode_prepared_one

SIZES = ((60, 48), (96, 96))
SETTINGS = 'trunk = "small"\nsteps = {steps}\nseed = 0\nhash_steps = 1\nmin_images = 10'
FULL_SIZE_FROM = 35
"""Percent of a training from which on all photos are at full size, with the graph compiled for it."""


def draw_shop(folder: Path, items: int, size: tuple[int, int], steps: int) -> Path:
    """Draw a shop and prepare its photos at (height, width); return its configuration."""
    write_catalogue(folder, items=items, leaf_categories=40, seed=1)
    config = write_config(folder)
    text = re.sub(r"height = \d+\nwidth = \d+", f"height = {size[0]}\nwidth = {size[1]}", config.read_text("utf-8"))
    config.write_text(with_training(text, SETTINGS.format(steps=steps)), encoding="utf-8")
    for stage in ("catalogue", "preprocess"):
        run([stage, "--config", str(config), "--run-id", "prepared", "--quiet"], folder / "log")
    return config


def stage_speed(config: Path, run_id: str, batch: int) -> float:
    """Train by the command line; return the photos a second at full size, by when its lines arrive."""
    words = command(["train", "--config", str(config), "--run-id", run_id])
    reports = [one for one in reports_of(stamped(words, untouched())) if one.percent >= FULL_SIZE_FROM]
    first, last = reports[0], reports[-1]
    return batch * (last.step - first.step) / (last.second - first.second)


def torch_speed(python: str, photos: Path, batch: int, steps: int, *, kept: bool) -> float:
    """Train by PyTorch; `kept` is with the allocator as our own processes have it."""
    environment = untouched() | (dict(ENVIRONMENT) if kept else {})
    words = [python, str(Path(__file__).with_name("torch_training.py")), str(photos), str(batch), str(steps)]
    return float(subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout)


def write_photos(config: Path, run_id: str, path: Path) -> None:
    """Write what a run has trained on as PyTorch's loop reads it: pixels, and the sizes of the heads."""
    loaded = load_config(str(config))
    store = open_store(loaded.store.uri)
    size = (loaded.preprocess.height, loaded.preprocess.width)
    only_image = {"image": tf.io.FixedLenFeature([], tf.string)}
    with store.stage_in(f"examples/{run_id}/Split-train") as folder:
        records = tf.data.TFRecordDataset(sorted(map(str, Path(folder).iterdir())), "GZIP")
        jpegs = [tf.io.parse_single_example(record, only_image)["image"] for record in records]
    pixels = np.stack([decode_prepared_one(jpeg, *size).numpy() for jpeg in jpegs])
    model_id = store.read_json(f"runs/{run_id}/train/manifest.json")["outputs"]["model_id"]
    facts = store.read_json(f"models/{model_id}/model.json")
    classes = [facts["leaf"]["slots"], *facts["levels"], *facts["attributes"].values()]
    np.savez(path, pixels=pixels, classes=np.array([len(one) for one in classes]))


def measure(folder: Path, size: tuple[int, int], args: argparse.Namespace) -> dict[str, Any]:
    """Let the stage and PyTorch take turns at one size; return the photos a second of each turn, and the ratio."""
    config = draw_shop(folder, args.items, size, args.steps)
    speeds: dict[str, list[float]] = {"stage": [], "torch": [], "torch, memory kept": []}
    for turn in range(args.rounds):
        run_id = f"turn{turn}"
        shutil.copytree(folder / "store" / "runs" / "prepared", folder / "store" / "runs" / run_id)
        text = re.sub(r"^seed = \d+$", f"seed = {turn}", config.read_text("utf-8"), flags=re.MULTILINE)
        config.write_text(text, encoding="utf-8")  # else it would adopt the training of the turn before
        speeds["stage"].append(stage_speed(config, run_id, args.batch))
        if not turn:
            write_photos(config, run_id, folder / "photos.npz")
        for name, kept in (("torch", False), ("torch, memory kept", True)):
            speeds[name].append(torch_speed(args.torch, folder / "photos.npz", args.batch, args.torch_steps, kept=kept))
        print({name: round(values[-1], 1) for name, values in speeds.items()}, flush=True)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    return {
        "height": size[0],
        "width": size[1],
        "photos_a_second": {name: [round(value, 1) for value in values] for name, values in speeds.items()},
        "stage_to_torch": round(medians["stage"] / max(medians["torch"], medians["torch, memory kept"]), 3),
    }


def main() -> None:
    """Measure both sizes and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", required=True, help="a Python that has PyTorch and NumPy")
    parser.add_argument("--items", type=int, default=700)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument(
        "--steps", type=int, default=80, help="of a training by the stage; seven in ten are at full size"
    )
    parser.add_argument("--torch-steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    cases = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            cases.append(measure(Path(folder), size, args))
    version = subprocess.run(
        [args.torch, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, check=True
    )
    names = [f"{case['height']} x {case['width']}: photos a second, stage to PyTorch" for case in cases]
    keep(
        "train",
        {
            "torch": version.stdout.strip(),
            "batch": args.batch,
            "cores": len(os.sched_getaffinity(0)),
            "sizes": cases,
            "checks": [at_least(name, case["stage_to_torch"], 1.0) for name, case in zip(names, cases, strict=True)],
        },
    )


if __name__ == "__main__":
    main()
