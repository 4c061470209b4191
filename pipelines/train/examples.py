"""Training examples: what photos are to teach, joined to their pixels; one TFRecord file an image unit and split.

Labels travel as small Arrow batches, first to the bucket of their photo's digest and then to its image unit; pixels are
read once, where they are written out again. Feature names: `image`, `digest`, `item_id`, `role`, `leaf`,
`category_<level>`, `attr_<name>`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.jobs.transforms import CreateEach
from pipelines.models.tensorflow import import_tensorflow
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import first_examples
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, UnitTable
from pipelines.tables.arrow import from_ipc, to_ipc
from pipelines.tables.buckets import partition, write_bucket
from pipelines.tables.held_out import learned_from
from pipelines.tables.taxonomy import category_value
from pipelines.train.labels import attribute_column, labelled, one_a_photo, read_labels
from pipelines.train.sample import Sample, draw, merged, strata_of
from pipelines.train.seen import seen_photos
from trainer.config import LEAF, level_label

SPLITS = {"train": "Split-train", "val": "Split-eval"}


@dataclass(frozen=True)
class ExampleShape:
    """Which features an example has: the depth of the taxonomy, and the attributes that get a head."""

    levels: int
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class Examples:
    """What was written, and why photos of the train and val splits were left out.

    `folder` is that of the files, `digests` that of a table of the photos that were there to choose from; `photos` is
    how many photos there are, `counts` how many are examples, by split, `rejects` how many teach nothing, by code, with
    an example each in `details`. `checksum` names the examples by what is in them, wherever and however they are kept.
    """

    folder: str
    digests: str
    photos: int
    counts: dict[str, int]
    rejects: dict[str, int]
    details: dict[str, str]
    checksum: str


def build_examples(context: RunContext, shape: ExampleShape, beside: str | None = None) -> Examples:
    """Write the examples of a run, about `train.max_images`; a rerun writes the same files.

    `beside` is the live model, which tells what is new; without one nothing is.
    """
    done = f"{context.prefix('train')}/examples.json"
    if not context.store.exists(done):
        job = _job(context, shape, beside)
        context.jobs("train").run("examples", lambda pipeline: _build(pipeline, job, done))
    return Examples(**context.store.read_json(done))


@dataclass(frozen=True)
class _Job:
    store: Store
    photos: str
    catalogue: str
    images: str
    seen: str | None
    folder: str
    digests: str
    buckets: int
    most: int
    floor: int
    seed: str
    held_out: float
    shape: ExampleShape


def _job(context: RunContext, shape: ExampleShape, beside: str | None) -> _Job:
    prepared, section = context.outputs(PreprocessOutputs), context.config.train
    name = f"{context.prefix('train')}/sample.json"
    context.store.create_json(name, {"seed": _today(), "beside": beside})
    kept = context.store.read_json(name)  # that of the first attempt: one of the next day goes on with its sample
    return _Job(
        context.store,
        prepared.photos,
        f"catalogue/{prepared.catalogue_id}",
        f"images/{prepared.prep_id}",
        f"models/{kept['beside']}" if kept["beside"] else None,
        f"examples/{context.run_id}",
        f"{context.prefix('train')}/photos",
        context.buckets,
        section.max_images,
        section.min_leaf_images,
        kept["seed"],
        section.held_out_leaves,
        shape,
    )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


@dataclass(frozen=True)
class _Facts:
    """A part of what `Examples` says; the checksum is a sum, so that neither order nor files matter."""

    photos: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)
    checksum: int = 0

    def __add__(self, other: _Facts) -> _Facts:
        return _Facts(
            self.photos + other.photos,
            self.counts + other.counts,
            self.rejects + other.rejects,
            first_examples(self.details, other.details),
            (self.checksum + other.checksum) % 2**256,
        )


def _build(pipeline: beam.Pipeline, job: _Job, done: str) -> None:
    photos = (
        pipeline
        | "Buckets" >> CreateEach(range(job.buckets))
        | "ReadLabels" >> beam.FlatMap(_read_labels, job)
        | "GroupByDigest" >> beam.GroupByKey()
        | "OneAPhoto" >> beam.Map(_one_a_photo, job)
    )
    sample = (
        photos
        | "Strata" >> beam.Map(lambda table: strata_of(_taught(table), job.seed, job.floor))
        | "AddUpStrata" >> beam.CombineGlobally(partial(merged, floor=job.floor))
        | "Draw" >> beam.Map(draw, job.most, job.seed)
    )
    written = (
        photos
        | "Take" >> beam.FlatMap(_take, beam.pvalue.AsSingleton(sample))
        | "GroupByImageUnit" >> beam.GroupByKey()
        | "WriteExamples" >> beam.Map(_write_unit, job)
    )
    _ = (
        (photos | "CountPhotos" >> beam.Map(_counted), written)
        | beam.Flatten()
        | "AddUp" >> beam.CombineGlobally(lambda parts: sum(parts, _Facts()))
        | "Publish" >> beam.Map(_publish, job, done)
    )


def _read_labels(bucket: int, job: _Job) -> Iterator[tuple[int, bytes]]:
    rows = read_labels(job.store, job.photos, job.catalogue, bucket, job.shape.attributes)
    yield from partition(rows, "digest", job.buckets)


def _one_a_photo(grouped: tuple[int, Iterable[bytes]], job: _Job) -> pa.Table:
    bucket, parts = grouped
    rows = from_ipc(sorted(parts), labelled(job.shape.attributes))
    photos = one_a_photo(rows, seen_photos(job.store, job.seen, bucket) if job.seen else None)
    write_bucket(job.store, job.digests, bucket, _taught(photos).select(["digest"]))
    return photos.filter(learned_from(photos["category"], job.held_out))


def _taught(photos: pa.Table) -> pa.Table:
    return photos.filter(pc.field("code") == "")


def _counted(photos: pa.Table) -> _Facts:
    rejected = photos.filter(pc.field("code") != "")
    details: dict[str, str] = {}
    for code, detail in zip(rejected["code"].to_pylist(), rejected["detail"].to_pylist(), strict=True):
        details = first_examples(details, {code: detail})
    return _Facts(len(photos), rejects=Counter(rejected["code"].to_pylist()), details=details)


def _take(photos: pa.Table, sample: Sample) -> Iterator[tuple[str, bytes]]:
    photos = _taught(photos)
    photos = photos.filter(sample.takes(photos))
    for unit in pc.unique(photos["image_unit"]).to_pylist():
        yield unit, to_ipc(photos.filter(pc.field("image_unit") == unit), "zstd")


def _write_unit(grouped: tuple[str, Iterable[bytes]], job: _Job) -> _Facts:
    unit_id, parts = grouped
    rows = pa.concat_tables(pa.ipc.open_stream(part).read_all() for part in parts).sort_by("image_row")
    images = UnitTable(job.store, job.images).read_rows(unit_id, rows["image_row"].to_pylist(), ["image"])
    facts = _Facts()
    for split, folder in SPLITS.items():
        wanted = pc.equal(rows["split"], split)
        part = rows.filter(wanted)
        if part.num_rows:
            records = encode(part.to_pylist(), images.filter(wanted)["image"].to_pylist(), job.shape)
            _write_records(job.store, f"{job.folder}/{folder}/{unit_id}.gz", records)
            facts += _Facts(counts=Counter({split: len(records)}), checksum=_sum(split, records))
    return facts


def encode(rows: list[dict[str, Any]], images: list[bytes], shape: ExampleShape) -> list[bytes]:
    """Return a serialised tf.Example for each photo; equal rows give equal bytes."""
    tf = import_tensorflow()

    def feature(value: str | bytes) -> Any:
        data = value.encode() if isinstance(value, str) else value
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[data]))

    records = []
    for row, image in zip(rows, images, strict=True):
        values: dict[str, str | bytes] = {"image": image, **{name: row[name] for name in ("digest", "item_id", "role")}}
        values[LEAF] = row["leaf"] or ""
        for level in range(shape.levels):
            values[level_label(level)] = category_value(row["category"] or [], level)
        for name in map(attribute_column, shape.attributes):
            values[name] = row[name] or ""
        features = tf.train.Features(feature={name: feature(value) for name, value in values.items()})
        records.append(tf.train.Example(features=features).SerializeToString(deterministic=True))
    return records


def _write_records(store: Store, name: str, records: list[bytes]) -> None:
    tf = import_tensorflow()
    options = tf.io.TFRecordOptions("GZIP", compression_level=1)  # JPEGs are compressed already
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records.gz")
        with tf.io.TFRecordWriter(str(path), options) as writer:
            for record in records:
                writer.write(record)
        store.create_from(name, path)


def _sum(split: str, records: list[bytes]) -> int:
    digests = (hashlib.sha256(f"{split}:".encode() + record).digest() for record in records)
    return sum(int.from_bytes(digest, "big") for digest in digests) % 2**256


def _publish(facts: _Facts, job: _Job, done: str) -> None:
    checksum = facts.checksum.to_bytes(32, "big").hex()
    places = {"folder": job.folder, "digests": job.digests}
    job.store.create_json(done, {**vars(facts), **places, "checksum": checksum})
