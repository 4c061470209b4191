"""Transformed examples -> decoded photos and slots; in memory when they fit the budget, else decoded each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from transforms.labels import count_feature, slot_feature
from transforms.tf_pixels import decode_prepared_one

Slots = dict[str, np.ndarray]

READ_BATCH = 256


@dataclass
class Photos:
    """Training photos: `jpegs` in order, `slots` int32 [n] a label, and `pixels` uint8 [n, h, w, 3] when decoded."""

    jpegs: list[bytes]
    slots: Slots
    height: int
    width: int
    pixels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.jpegs)

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Return the photos of these rows, uint8 [len(rows), h, w, 3]."""
        if self.pixels is not None:
            return self.pixels[rows]
        return decode([self.jpegs[row] for row in rows], self.height, self.width)

    def batches(self, count: int) -> Iterator[np.ndarray]:
        """Yield the first `count` photos in order, uint8 [up to 256, h, w, 3] at a time."""
        for start in range(0, count, READ_BATCH):
            yield self.batch(np.arange(start, min(start + READ_BATCH, count)))


def load_photos(files: Sequence[str], labels: Sequence[str], height: int, width: int, memory_bytes: int) -> Photos:
    """Read transformed TFRecord files; decode into memory when pixels and JPEGs fit `memory_bytes`."""
    spec = {"image": tf.io.FixedLenFeature([], tf.string)}
    for label in labels:
        spec[slot_feature(label)] = tf.io.FixedLenFeature([], tf.int64)
        spec[count_feature(label)] = tf.io.FixedLenFeature([], tf.int64)
    paths = sorted(path for name in files for path in _expand(name))
    records = tf.data.TFRecordDataset(paths, "GZIP", buffer_size=1 << 20).batch(1024)
    jpegs: list[bytes] = []
    parts: dict[str, list[np.ndarray]] = {name: [] for name in spec if name != "image"}
    for parsed in records.map(lambda batch: tf.io.parse_example(batch, spec)).as_numpy_iterator():
        jpegs += list(parsed["image"])
        for name, values in parts.items():
            values.append(parsed[name].astype(np.int32))
    columns = {name: np.concatenate(values) if values else np.zeros(0, np.int32) for name, values in parts.items()}
    photos = Photos(jpegs, columns, height, width)
    if len(jpegs) * (height * width * 3) + sum(map(len, jpegs)) <= memory_bytes:
        photos.pixels = decode(jpegs, height, width)
    return photos


def decode(jpegs: Sequence[bytes], height: int, width: int) -> np.ndarray:
    """Return decoded photos uint8 [len(jpegs), height, width, 3], by all cores."""
    pixels = np.empty((len(jpegs), height, width, 3), np.uint8)
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
