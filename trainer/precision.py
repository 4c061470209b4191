"""Which numeric precision a trunk computes in: bfloat16 where the processor has instructions for it, float32 elsewhere."""

from __future__ import annotations

from pathlib import Path

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def compute_dtype() -> str:
    """Return 'bfloat16' on a processor or a GPU that is fast with it (about 2x in training), else 'float32'."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return "bfloat16"
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "float32"
    flags = next((line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith("flags")), [])
    return "bfloat16" if BFLOAT16_FLAGS & set(flags) else "float32"
