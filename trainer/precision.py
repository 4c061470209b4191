"""Which numeric precision a trunk computes in: bfloat16 where that is measured to be faster, float32 elsewhere.

A processor's flags do not tell: on some virtual machines bfloat16 runs at half the speed of float32, and kernels for
announced instructions die of SIGILL. So one training step of each is timed, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
WORTH_IT = 1.15
"""How many times as fast bfloat16 must be: below that its rounding is not worth having."""
PROBE_BATCH, PROBE_STEPS, PROBE_SECONDS = 32, 3, 180


def compute_dtype(trunk: str, height: int, width: int, *, timed: bool = True) -> str:
    """Return 'bfloat16' on a GPU and where a training step is faster with it, if that is `timed`; else 'float32'."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return "bfloat16"
    if not (timed and announced()):
        return "float32"
    seconds = measured(trunk, height, width)
    faster = seconds.get("float32", 0.0) > WORTH_IT * seconds.get("bfloat16", float("inf"))
    return "bfloat16" if faster else "float32"


def announced(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the processor says that it has instructions for bfloat16."""
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith("flags")), [])
    return bool(BFLOAT16_FLAGS & set(flags))


def measured(trunk: str, height: int, width: int) -> dict[str, float]:
    """Return the seconds of a training step by dtype; one that the processor cannot run is missing."""
    command = [sys.executable, "-m", __name__, trunk, str(height), str(width)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
        lines = done.stdout.splitlines()
    except subprocess.TimeoutExpired as error:
        lines = (error.stdout or b"").decode().splitlines()
    return {dtype: float(seconds) for dtype, seconds in map(json.loads, lines)}


def time_step(trunk: str, height: int, width: int, dtype: str) -> float:
    """Return the seconds of one training step of a trunk on random pixels, the fastest of a few."""
    import tensorflow as tf

    from trainer.trunks import build_trunk

    model = build_trunk(trunk, dtype)
    pixels = tf.random.uniform([PROBE_BATCH, height, width, 3], 0.0, 255.0)

    @tf.function
    def step() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(model(pixels, training=True)))
        gradients: list[tf.Tensor] = tape.gradient(loss, model.trainable_variables)
        return gradients

    step()
    times = []
    for _ in range(PROBE_STEPS):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    for name in ("float32", "bfloat16"):  # each line is out before the next, which may not survive
        print(json.dumps([name, time_step(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), name)]), flush=True)  # noqa: T201
