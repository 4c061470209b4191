"""Where a training works: in the folders that it was told, or on this machine for one whose folders are in a bucket."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from trainer.config import TrainSpec
from trainer.files import in_bucket
from trainer.fit import MODEL_JSON, WEIGHTS


@contextmanager
def local_work(spec: TrainSpec) -> Iterator[TrainSpec]:
    """Give the specification with all that is read on this machine; at the end, results are where `work` was.

    Checkpoints stay where they are, for in a bucket they outlive the machine.
    """
    if not in_bucket(spec.work):
        yield spec
        return
    with tempfile.TemporaryDirectory(prefix="visual-search-train-") as folder:
        local = replace(spec, work=folder)
        if spec.parent is not None:
            local = replace(local, parent=str(Path(folder, "parent")))
            copy_file(f"{spec.parent}/{WEIGHTS}", f"{local.parent}/{WEIGHTS}")
        if spec.weights is not None:
            local = replace(local, weights=str(Path(folder, spec.weights.rpartition("/")[2])))
            copy_file(spec.weights, str(local.weights))
        yield local
        for name in (WEIGHTS, MODEL_JSON):
            copy_file(f"{folder}/{name}", f"{spec.work}/{name}")


def copy_file(source: str, target: str) -> None:
    """Copy a file between this machine and a bucket; one that is there is replaced."""
    tf.io.gfile.makedirs(target.rpartition("/")[0])
    tf.io.gfile.copy(source, target, overwrite=True)
