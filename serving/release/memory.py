"""Whether a release fits beside what is held: what it will take, and what this machine or container has left.

The numbers of an index are those that its build predicted (pipelines/neighbours/memory.py).
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import psutil

from pipelines.neighbours.memory import ROW_BYTES
from pipelines.releases.release import Release
from pipelines.store import Store

MODEL_FACTOR = 3
"""A loaded model takes its file once for the variables, and about as much for its graph and for what a batch needs."""
MODEL_BYTES = 64 << 20
"""What a model takes however small it is: its process, TensorFlow's graph and kernels."""
PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def needed_bytes(store: Store, release: Release, kinds: Collection[str], *, with_model: bool = True) -> int:
    """Return about how many bytes a release takes once it is loaded for a plan that searches `kinds`.

    `store` has the release's objects on this machine. Stored vectors are not counted: they are memory-mapped, and the
    kernel may drop them.
    """
    manifest = store.read_json(f"indexes/{release.index_id}/manifest.json")
    built: dict[str, Any] = manifest["kinds"]
    searched = sum(int(built[kind]["predicted_bytes"]) for kind in kinds if kind != "exact" and kind in built)
    rows = int(manifest["counts"]["item_photos"])
    return searched + rows * ROW_BYTES + (_model_bytes(store, release) if with_model else 0)


def _model_bytes(store: Store, release: Release) -> int:
    with store.stage_in(f"models/{release.model_id}") as folder:
        return MODEL_FACTOR * sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) + MODEL_BYTES


def available_bytes(budget: int | None) -> int:
    """Return how many bytes the service may still take: of its budget, else of its container's and the machine's."""
    if budget is not None:
        return max(0, budget - held_bytes())
    return min(_of_machine(), _of_container())


def held_bytes(pid: int | None = None) -> int:
    """Return what a service (this process by default) and its models' processes hold, each shared byte once.

    Pages of files do not count, for the kernel may drop them.
    """
    others = (PROC / str(each.pid) / "smaps_rollup" for each in psutil.Process(pid).children(recursive=True))
    own = PROC / ("self" if pid is None else str(pid)) / "status"
    return _field(own, "RssAnon") + sum(_field(path, "Pss_Anon") for path in others)


def _of_machine() -> int:
    """Return what the machine has left; a kernel that does not tell is taken to have enough."""
    return _field(PROC / "meminfo", "MemAvailable", sys.maxsize)


def _of_container() -> int:
    """Return what the container's limit (cgroup v2) leaves; pages of files that were not used lately count as free."""
    limit = _text(CGROUP / "memory.max")
    if not limit.isdigit():  # "max", or no such file: the machine is the limit
        return _of_machine()
    used = int(_text(CGROUP / "memory.current") or 0)
    stat = dict(line.split() for line in _text(CGROUP / "memory.stat").splitlines())
    return max(0, int(limit) - used + int(stat.get("inactive_file", 0)))


def _field(path: Path, name: str, otherwise: int = 0) -> int:
    """Return a field of one of the kernel's tables in bytes."""
    lines = (line.split() for line in _text(path).splitlines())
    return next((int(words[1]) * 1024 for words in lines if words and words[0] == f"{name}:"), otherwise)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
