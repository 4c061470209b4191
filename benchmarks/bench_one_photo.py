"""What kernels are worth to who asks about one photo: oneDNN's beside Eigen's.

    python -m benchmarks.bench_one_photo

A trunk with random weights embeds batches of several sizes, in a process for each choice, in turns; the medians of all
calls count. By itself TensorFlow takes oneDNN's on processors with AVX-512, and else Eigen's. The last result stays in
benchmarks/results/. Expected, where there is no AVX-512: for a photo alone Eigen's are no slower, whatever the trunk.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from benchmarks.checks import at_most, keep
from trainer.process import KERNELS, untouched

TRUNKS = {"small": (64, 48), "efficientnet_lite0": (160, 160), "resnet50": (224, 224)}
"""Height and width of the photos that each is shown."""
BATCHES, CALLS, ROUNDS = (1, 2, 8), 7, 1
CHOICES = {"oneDNN": "1", "Eigen": "0"}


def calls_of(trunk: str) -> dict[int, list[float]]:
    """Return the milliseconds of each call of a trunk, by the size of the batch."""
    import tensorflow as tf

    from trainer.trunks import build_trunk

    net, (height, width) = build_trunk(trunk, "float32"), TRUNKS[trunk]

    @tf.function(input_signature=[tf.TensorSpec([None, height, width, 3], tf.uint8)])
    def embed(pixels: tf.Tensor) -> tf.Tensor:
        return net(tf.cast(pixels, tf.float32), training=False)

    found = {}
    for batch in BATCHES:
        pixels = tf.constant(np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), np.uint8))
        times = []
        for _ in range(CALLS + 2):  # the first ones are slower
            began = time.perf_counter()
            embed(pixels).numpy()
            times.append(1000 * (time.perf_counter() - began))
        found[batch] = times[2:]
    return found


def in_turns(trunk: str) -> dict[str, dict[str, float]]:
    """Return the median milliseconds of a call by choice and size of the batch."""
    times: dict[str, dict[str, list[float]]] = {choice: {} for choice in CHOICES}
    for _ in range(ROUNDS):
        for choice, value in CHOICES.items():
            words = [sys.executable, "-m", "benchmarks.bench_one_photo", "--trunk", trunk]
            environment = untouched() | {KERNELS: value}
            said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
            for batch, some in json.loads(said.splitlines()[-1]).items():
                times[choice].setdefault(batch, []).extend(some)
    return {
        choice: {batch: round(statistics.median(some), 1) for batch, some in of.items()} for choice, of in times.items()
    }


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trunk", choices=TRUNKS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.trunk:
        print(json.dumps(calls_of(given.trunk)))
        return
    found = {trunk: in_turns(trunk) for trunk in TRUNKS}
    checks = [
        at_most(f"{trunk}: a photo alone, to what it takes with oneDNN", of["Eigen"]["1"] / of["oneDNN"]["1"], 1)
        for trunk, of in found.items()
    ]
    cores = len(os.sched_getaffinity(0))
    keep("one-photo", {"what": "milliseconds a call by size of the batch", "cores": cores, **found, "checks": checks})


if __name__ == "__main__":
    main()
