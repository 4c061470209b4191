"""Transformed examples -> photos and slots: decoded in memory when they fit, else as JPEGs in a scratch file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import tensorflow as tf

from transforms.labels import slot_feature
from transforms.tf_pixels import decode_prepared_one

Slots = dict[str, np.ndarray]

READ_BATCH = 256
TEXTS = ("image", "role")


class PhotoSource(Protocol):
    """Where the pixels of photos come from, by row."""

    def __len__(self) -> int:
        """Return the number of photos."""
        ...

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Return the photos of these rows, uint8 [len(rows), height, width, 3]."""
        ...


@dataclass
class Photos:
    """Training photos: pixels from `source`, `slots` int32 [n] a label, and the `roles` str [n]."""

    source: PhotoSource
    slots: Slots
    roles: np.ndarray

    def __len__(self) -> int:
        return len(self.source)

    def repeated(self, repeat: Mapping[str, int]) -> np.ndarray:
        """Return the rows, int64, of one pass over all photos: each once, or as often as `repeat` says of its role.

        Raises ValueError for a role that no photo has.
        """
        for role in repeat:
            if role not in self.roles:
                there = ", ".join(np.unique(self.roles).tolist()) or "none"
                raise ValueError(f"train.repeat names the role {role!r}; the photos to learn from have: {there}")
        return np.repeat(np.arange(len(self)), [repeat.get(role, 1) for role in self.roles])

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Return the photos of these rows, uint8 [len(rows), height, width, 3]."""
        return self.source.batch(rows)

    def batches(self, count: int) -> Iterator[np.ndarray]:
        """Yield the first `count` photos in order, uint8 [up to 256, height, width, 3] at a time."""
        for start in range(0, count, READ_BATCH):
            yield self.batch(np.arange(start, min(start + READ_BATCH, count)))


class Decoded:
    """Photos in memory, uint8 [n, height, width, 3]."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Return the photos of these rows."""
        return self.pixels[rows]


class Spooled:
    """JPEGs one after the other in a file, decoded whenever they are asked for; each keeps 8 bytes of memory."""

    def __init__(self, file: IO[bytes], ends: np.ndarray, height: int, width: int) -> None:
        self.file, self.ends, self.height, self.width = file, ends, height, width

    def __len__(self) -> int:
        return len(self.ends)

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Read and decode the photos of these rows."""
        return decode(map(self.jpeg, rows), len(rows), self.height, self.width)

    def jpeg(self, row: int) -> bytes:
        """Return the JPEG of a row."""
        start = int(self.ends[row - 1]) if row else 0
        return os.pread(self.file.fileno(), int(self.ends[row]) - start, start)


def load_photos(
    files: Sequence[str], labels: Sequence[str], height: int, width: int, memory_bytes: int, scratch: str
) -> Photos:
    """Read transformed TFRecord files; decode into memory when the pixels fit `memory_bytes`.

    `scratch` is a local folder with room for the JPEGs; their file there has no name, and is gone with the process.
    """
    spec = {name: tf.io.FixedLenFeature([], tf.string) for name in TEXTS}
    for label in labels:
        spec[slot_feature(label)] = tf.io.FixedLenFeature([], tf.int64)
    paths = sorted(path for name in files for path in _expand(name))
    records = tf.data.TFRecordDataset(paths, "GZIP", buffer_size=1 << 20).batch(READ_BATCH)
    file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - Spooled keeps it
    lengths: list[np.ndarray] = [np.zeros(0, np.int64)]
    parts: dict[str, list[np.ndarray]] = {name: [np.zeros(0, np.int32)] for name in spec if name not in TEXTS}
    roles: list[np.ndarray] = [np.zeros(0, np.str_)]
    for parsed in records.map(lambda batch: tf.io.parse_example(batch, spec)).as_numpy_iterator():
        file.writelines(parsed["image"])
        lengths.append(np.array([len(jpeg) for jpeg in parsed["image"]], np.int64))
        roles.append(np.array([role.decode() for role in parsed["role"]], np.str_))
        for name, values in parts.items():
            values.append(parsed[name].astype(np.int32))
    file.flush()
    spooled = Spooled(file, np.cumsum(np.concatenate(lengths)), height, width)
    labels_and_roles = {name: np.concatenate(values) for name, values in parts.items()}, np.concatenate(roles)
    if len(spooled) * height * width * 3 > memory_bytes:
        return Photos(spooled, *labels_and_roles)
    with file:
        return Photos(Decoded(spooled.batch(np.arange(len(spooled)))), *labels_and_roles)


def decode(jpegs: Iterable[bytes], count: int, height: int, width: int) -> np.ndarray:
    """Return decoded photos uint8 [count, height, width, 3], by all cores; `jpegs` are taken as they are needed."""
    pixels = np.empty((count, height, width, 3), np.uint8)
    dataset = tf.data.Dataset.from_generator(lambda: iter(jpegs), output_signature=tf.TensorSpec([], tf.string))
    decoded = (
        dataset.map(lambda jpeg: decode_prepared_one(jpeg, height, width), tf.data.AUTOTUNE)
        .batch(READ_BATCH)
        .prefetch(2)
    )
    start = 0
    for part in decoded.as_numpy_iterator():
        pixels[start : start + len(part)] = part
        start += len(part)
    return pixels


def _expand(name: str) -> list[str]:
    path = Path(name)
    return [str(p) for p in path.parent.glob(path.name)] if "*" in name else [name]
