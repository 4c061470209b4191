"""Tiny photos, as arrays and as the Transform component leaves them, and a specification to learn from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.world import HEIGHT, WIDTH, labels, make_photos, roles
from trainer.config import TrainSpec
from trainer.data import Decoded, Photos
from transforms.labels import slot_feature


@pytest.fixture
def photos() -> Photos:
    slots = {slot_feature(name): values.astype(np.int32) for name, values in labels().items()}
    return Photos(Decoded(make_photos()), slots, roles())


@pytest.fixture
def records(tmp_path: Path) -> str:
    """A gzipped TFRecord file of transformed examples."""
    path = tmp_path / "transformed-00000.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for row, pixels in enumerate(make_photos()):
            jpeg = tf.io.encode_jpeg(pixels, quality=95, chroma_downsampling=False).numpy()
            texts = {"image": jpeg, "role": roles()[row].encode()}
            feature = {k: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for k, v in texts.items()}
            for name, values in labels().items():
                slot = tf.train.Int64List(value=[int(values[row])])
                feature[slot_feature(name)] = tf.train.Feature(int64_list=slot)
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    return str(path)


@pytest.fixture
def spec(tmp_path: Path) -> TrainSpec:
    colours = {"red": 0, "green": 1, "blue": 2}
    leaves = {**colours, "red top": 3, "rest": 4, "unseen": 5}
    taxonomy = {"leaves": leaves, "levels": [{"red": 0, "rest": 1}, colours], "attributes": {}}
    path = tmp_path / "taxonomy.json"
    path.write_text(json.dumps(taxonomy), encoding="utf-8")
    for name in ("work", "checkpoints"):
        (tmp_path / name).mkdir()
    return TrainSpec(
        examples=str(tmp_path),
        taxonomy=str(path),
        work=str(tmp_path / "work"),
        checkpoints=str(tmp_path / "checkpoints"),
        prep_id=f"{HEIGHT}x{WIDTH}-q95-v1",
        height=HEIGHT,
        width=WIDTH,
        steps=8,
        batch=16,
    )
