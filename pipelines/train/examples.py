"""Training examples: today's labels joined to a bounded sample of prepared photos, one TFRecord file an image unit.

Labels travel as small Arrow batches to the image units; pixels are read once, where they are written out again. The
test split is never written. Feature names: `image`, `digest`, `item_id`, `role`, `category_<level>`, `attr_<name>`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import google_crc32c
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.jobs.transforms import CreateEach
from pipelines.models.tensorflow import import_tensorflow
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, UnitTable
from pipelines.tables.arrow import from_ipc, index_of, to_ipc
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS
from pipelines.tables.taxonomy import category_value
from trainer.config import level_label

SPLITS = {"train": "Split-train", "val": "Split-eval"}
LABELLED = pa.schema(
    [
        ("digest", pa.binary(32)),
        ("item_id", pa.string()),
        ("role", pa.string()),
        ("split", pa.string()),
        ("image_row", pa.int32()),
        ("category", pa.list_(pa.string())),
        ("attributes", pa.map_(pa.string(), pa.string())),
    ]
)


@dataclass(frozen=True)
class ExampleShape:
    """Which features an example has: the depth of the taxonomy, and the attributes that get a head."""

    levels: int
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class Examples:
    """What was written: the folder in the store, examples by split, and the checksum of all files."""

    folder: str
    counts: dict[str, int]
    checksum: str


def build_examples(context: RunContext, shape: ExampleShape) -> Examples:
    """Write the examples of a run, at most `train.max_images`; a rerun writes the same files."""
    done = f"{context.prefix('train')}/examples.json"
    if not context.store.exists(done):
        job = _job(context, shape)
        context.jobs("train").run("examples", lambda pipeline: _build(pipeline, job, context.buckets))
        _publish(context.store, job, done)
    return Examples(**context.store.read_json(done))


@dataclass(frozen=True)
class _Job:
    store: Store
    photos: str
    catalogue: str
    images: str
    folder: str
    rate: float
    shape: ExampleShape

    @property
    def parts(self) -> str:
        return f"{self.folder}/parts"


def _job(context: RunContext, shape: ExampleShape) -> _Job:
    prepared = context.outputs(PreprocessOutputs)
    return _Job(
        context.store,
        prepared.photos,
        f"catalogue/{prepared.catalogue_id}",
        f"images/{prepared.prep_id}",
        f"examples/{context.run_id}",
        min(1.0, context.config.train.max_images / max(1, prepared.with_image)),
        shape,
    )


def _build(pipeline: beam.Pipeline, job: _Job, buckets: int) -> None:
    _ = (
        pipeline
        | "Buckets" >> CreateEach(range(buckets))
        | "ReadLabels" >> beam.FlatMap(label_rows, job.store, job.photos, job.catalogue, job.rate)
        | "GroupByImageUnit" >> beam.GroupByKey()
        | "WriteExamples" >> beam.MapTuple(_WriteUnit(job))
    )


def label_rows(bucket: int, store: Store, photos: str, catalogue: str, rate: float) -> Iterator[tuple[str, bytes]]:
    """Yield (image unit, LABELLED rows as IPC) of a bucket's photos that are in train or val and in the sample."""
    rows = read_bucket(store, photos, bucket, RESOLVED_PHOTOS)
    rows = rows.filter((pc.field("code") == "") & pc.field("split").isin(list(SPLITS)))
    rows = rows.filter(pa.array([_sampled(digest, rate) for digest in rows["digest"].to_pylist()], pa.bool_()))
    if not rows.num_rows:
        return
    items = read_bucket(store, f"{catalogue}/items", bucket, ITEMS)
    at = pa.array(index_of(rows["item_id"], items["item_id"]))
    table = pa.table(
        {
            **{name: rows[name] for name in ("digest", "item_id", "role", "split", "image_row")},
            **{name: items[name].combine_chunks().take(at) for name in ("category", "attributes")},
        },
        LABELLED,
    )
    units = rows["image_unit"]
    for unit in pc.unique(units).to_pylist():
        yield unit, to_ipc(table.filter(pc.equal(units, unit)))


def _sampled(digest: bytes, rate: float) -> bool:
    return rate >= 1.0 or int.from_bytes(hashlib.sha256(b"sample:" + digest).digest()[:8], "big") / 2**64 < rate


@dataclass(frozen=True)
class _WriteUnit:
    job: _Job

    def __call__(self, unit_id: str, parts: Iterable[bytes]) -> None:
        rows = from_ipc(sorted(parts), LABELLED).sort_by([("image_row", "ascending"), ("item_id", "ascending")])
        images = UnitTable(self.job.store, self.job.images).read_rows(unit_id, rows["image_row"].to_pylist(), ["image"])
        facts: dict[str, Any] = {}
        for split, folder in SPLITS.items():
            wanted = pc.equal(rows["split"], split)
            part = rows.filter(wanted)
            if part.num_rows:
                data = encode(part.to_pylist(), images.filter(wanted)["image"].to_pylist(), self.job.shape)
                self.job.store.create(f"{self.job.folder}/{folder}/{unit_id}.gz", data)
                facts[split] = [part.num_rows, hashlib.sha256(data).hexdigest()]
        self.job.store.put(f"{self.job.parts}/{unit_id}.json", json.dumps(facts).encode())


def encode(rows: list[dict[str, Any]], images: list[bytes], shape: ExampleShape) -> bytes:
    """Return a gzipped TFRecord file of tf.Examples; equal rows give equal bytes."""
    tf = import_tensorflow()

    def text(value: str) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))

    def raw(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1, mtime=0) as file:
        for row, image in zip(rows, images, strict=True):
            attributes = dict(row["attributes"])
            features = {"image": raw(image), "digest": raw(row["digest"])}
            features |= {name: text(row[name]) for name in ("item_id", "role")}
            for level in range(shape.levels):
                features[level_label(level)] = text(category_value(row["category"], level))
            for name in shape.attributes:
                features[f"attr_{name}"] = text(attributes.get(name, ""))
            example = tf.train.Example(features=tf.train.Features(feature=features))
            file.write(_framed(example.SerializeToString(deterministic=True)))
    return sink.getvalue()


def _framed(record: bytes) -> bytes:
    """Return a record framed as TFRecord: length, masked crc32c of it, data, masked crc32c of it."""
    length = struct.pack("<Q", len(record))
    return b"".join((length, _masked_crc(length), record, _masked_crc(record)))


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _publish(store: Store, job: _Job, done: str) -> None:
    counts: Counter[str] = Counter()
    checksum = hashlib.sha256()
    for name in sorted(entry.name for entry in store.list(job.parts)):
        for split, (rows, digest) in sorted(store.read_json(name).items()):
            counts[split] += rows
            checksum.update(f"{name}:{split}:{digest};".encode())
    store.create_json(done, {"folder": job.folder, "counts": dict(counts), "checksum": checksum.hexdigest()})
