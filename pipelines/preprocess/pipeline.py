"""The three Beam pipelines of the preprocess stage: what is to do, doing it, and what became of every photo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.jobs.transforms import CreateEach, JoinByBucket, ReadBuckets, ReadUnitKeys
from pipelines.jobs.units import Unit, write_todo
from pipelines.preprocess.asked import Asked
from pipelines.preprocess.changes import (
    NAMED_IMAGES,
    NAMED_ORIGINALS,
    NAMED_SOURCES,
    SEEN,
    TODO,
    lacking_images,
    sorted_todo,
)
from pipelines.preprocess.dropped import mark_bad
from pipelines.preprocess.job import Job
from pipelines.preprocess.parts import ORIGINALS
from pipelines.preprocess.placeholders import reject_placeholders
from pipelines.preprocess.replaced import HELD, Replaced
from pipelines.preprocess.requeried import Requeried
from pipelines.preprocess.resolve import WORKING, ResolveImages, ResolveSources, finish, with_labels
from pipelines.preprocess.settled import commit_splits, settle
from pipelines.preprocess.splits import SPLITS, ReadSettled, Shares, group_and_split
from pipelines.preprocess.summary import Summary
from pipelines.preprocess.unit_work import commit_unit, read_todo
from pipelines.shop_files.fetch import FETCH_CODES, LISTED, Fetcher
from pipelines.shop_files.listing import ListPhotos
from pipelines.shop_files.web.identity import stem
from pipelines.shop_files.web.memory import Memory
from pipelines.store import Store, UnitTable
from pipelines.tables.buckets import read_bucket, write_bucket
from pipelines.tables.schemas import ITEMS, PHOTOS, RESOLVED_PHOTOS
from pipelines.tables.unit_keys import Tables


def build_plan(pipeline: beam.Pipeline, findings: str, job: Job) -> None:
    """Write the photos that are to be fetched or prepared, by bucket, and below `findings` how many they are."""
    photos = pipeline | "ReadPhotos" >> ReadBuckets(job.store, f"{job.catalogue}/photos", PHOTOS, job.buckets)
    sources = pipeline | "ReadSources" >> ReadUnitKeys(job.store, ["sources"])
    images = pipeline | "ReadImages" >> ReadUnitKeys(job.store, [job.images])
    listed = pipeline | "ListPhotos" >> ListPhotos(job.preparer.fetcher.root)
    compared = {"photos": photos, "sources": sources, "listed": listed} | "CompareSources" >> JoinByBucket(
        {"photos": "image_uri", "sources": "image_uri", "listed": "image_uri"},
        {"photos": PHOTOS, "sources": NAMED_SOURCES, "listed": LISTED},
        job.buckets,
        job.compare,
        stem,
    )
    _ = (
        compared
        | "Requeried" >> beam.Map(lambda found: found[2])
        | "AddUpRequeried" >> beam.CombineGlobally(lambda found: sum(found, Requeried()))
        | "KeepRequeried" >> beam.Map(lambda found: job.store.put(job.requeried, json.dumps(found.as_json()).encode()))
    )
    seen = compared | "Seen" >> beam.Map(lambda pair: pair[1])
    originals = pipeline | "ReadOriginals" >> ReadUnitKeys(job.store, [ORIGINALS])
    lacking = {"seen": seen, "images": images, "originals": originals} | "LackingImages" >> JoinByBucket(
        {"seen": "digest", "images": "digest", "originals": "digest"},
        {"seen": SEEN, "images": NAMED_IMAGES, "originals": NAMED_ORIGINALS},
        job.buckets,
        lacking_images,
    )
    todo = (compared | "New" >> beam.Map(lambda pair: pair[0]), lacking) | "Todo" >> beam.Flatten()
    _ = {"todo": todo} | "WriteTodo" >> JoinByBucket(
        {"todo": "image_uri"},
        {"todo": TODO},
        job.buckets,
        _WriteTodo(job.store, job.prefix, findings, job.preparer.fetcher),
    )


@dataclass(frozen=True)
class _WriteTodo:
    store: Store
    prefix: str
    findings: str
    fetcher: Fetcher

    def __call__(self, bucket: int, tables: Tables) -> None:
        rows = sorted_todo(tables)
        counted = write_todo(self.store, self.prefix, bucket, rows)
        asked = Asked.count(rows, self.fetcher)
        found = asdict(counted) | {"asked": asdict(asked)}
        self.store.create_json(f"{self.findings}/{bucket:05d}.json", found)


def build_units(pipeline: beam.Pipeline, job: Job, lanes: Sequence[tuple[Unit, ...]]) -> None:
    """Prepare the photos of units, those of one lane on one worker."""
    _ = pipeline | CreateEach(lanes) | "PrepareUnits" >> beam.Map(prepare_units, job)


def prepare_units(lane: tuple[Unit, ...], job: Job) -> None:
    """Prepare the photos of a lane's units and commit each: those of files one by one, those of addresses together."""
    far = []
    for unit in lane:
        todo = read_todo(job, unit)
        if any(job.preparer.fetcher.address(uri) for uri in todo["image_uri"].to_pylist()):
            far.append(unit)
        else:
            commit_unit(job, unit.unit_id, job.preparer(todo))
    if far:
        from pipelines.preprocess.lane import run_lane

        run_lane(far, job)


def build_resolve(pipeline: beam.Pipeline, job: Job, unit_ids: Sequence[str], shares: Shares, number: int) -> None:
    """Write the resolved photos with their groups and splits, by bucket, and what the run's units have done.

    Splits are settled behind entry `number` of their log. When another run was faster, that is all that is written.
    """
    _count_units(pipeline, job, unit_ids)
    rows = _resolve_photos(pipeline, job, frozenset(unit_ids))
    known = pipeline | "ReadSplits" >> ReadSettled(job.store, number)
    splits, common = group_and_split(
        rows, known, job.buckets, shares, _Keep(job.store, job.unlinked), job.curated.apart
    )
    units = splits | "CommitSplits" >> beam.Map(lambda pair, store: commit_splits(pair[1], store), job.store)
    settled = units | beam.combiners.ToList() | "Settle" >> beam.Map(settle, job.store, job.run_id, number)
    _ = settled | "KeepSettled" >> beam.Map(_Keep(job.store, job.settled))
    won = beam.pvalue.AsSingleton(settled)
    _ = {
        "photos": rows
        | "PhotosIfSettled" >> beam.Filter(lambda _, won: won, won)
        | "RejectPlaceholders" >> beam.Map(reject_placeholders, beam.pvalue.AsSingleton(common), shares.most_of_photo),
        "splits": splits | "SplitsIfSettled" >> beam.FlatMap(lambda pair, won: [pair[0]] if won else [], won),
    } | "Finish" >> JoinByBucket(
        {"photos": "item_id", "splits": "item_id"}, {"photos": WORKING, "splits": SPLITS}, job.buckets, _Finish(job)
    )


@dataclass(frozen=True)
class _Keep:
    store: Store
    name: str

    def __call__(self, value: Any) -> None:
        self.store.put(self.name, json.dumps(value).encode())


def _resolve_photos(pipeline: beam.Pipeline, job: Job, unit_ids: frozenset[str]) -> beam.PCollection:
    bad = job.curated.bad_photos
    photos = pipeline | "ReadPhotos" >> (
        CreateEach(range(job.buckets)) | beam.Map(_read_working, job.store, job.catalogue)
    )
    sources = pipeline | "ReadSources" >> ReadUnitKeys(job.store, ["sources"])
    images = pipeline | "ReadImages" >> ReadUnitKeys(job.store, [job.images])
    fetched = {"photos": photos, "sources": sources} | "ResolveSources" >> JoinByBucket(
        {"photos": "image_uri", "sources": "image_uri"},
        {"photos": WORKING, "sources": NAMED_SOURCES},
        job.buckets,
        ResolveSources(unit_ids, job.identity),
        stem,
    )
    with_photo = fetched | "WithPhoto" >> beam.Map(lambda t: t.filter(pc.field("digest").is_valid()))
    without = fetched | "WithoutPhoto" >> beam.Map(lambda t: t.filter(pc.field("digest").is_null()))
    prepared = {"photos": with_photo, "images": images} | "ResolveImages" >> JoinByBucket(
        {"photos": "digest", "images": "digest"},
        {"photos": WORKING, "images": NAMED_IMAGES},
        job.buckets,
        ResolveImages(unit_ids),
    )
    shown = prepared | "MarkDropped" >> beam.Map(job.dropped.mark) | "MarkBad" >> beam.Map(mark_bad, bad)
    return (shown, without) | "AllPhotos" >> beam.Flatten()


def _count_units(pipeline: beam.Pipeline, job: Job, unit_ids: Sequence[str]) -> None:
    _ = (
        pipeline
        | "Units" >> CreateEach(unit_ids)
        | "CountDone" >> beam.Map(_count_done, job.store, job.images)
        | "AddUp" >> beam.CombineGlobally(_add_up)
        | "KeepDone" >> beam.Map(lambda done: job.store.put(job.done, json.dumps(done).encode()))
    )


def _count_done(unit_id: str, store: Store, images: str) -> dict[str, int]:
    """Return how many photos a unit has read, and how many it has prepared."""
    read = UnitTable(store, "sources").read_keys(unit_id).select(["code", "fingerprint"]).to_pylist()
    prepared = UnitTable(store, images).read_keys(unit_id)["code"].to_pylist()
    fetched = sum(row["code"] not in FETCH_CODES and Memory.of(row["fingerprint"]).came for row in read)
    return {"fetched": fetched, "prepared": prepared.count("")}


def _add_up(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total = {"fetched": 0, "prepared": 0}
    for one in counts:
        total = {name: total[name] + one[name] for name in total}
    return total


@dataclass(frozen=True)
class _Finish:
    job: Job

    def __call__(self, bucket: int, tables: Tables) -> None:
        photos = tables["photos"]
        write_bucket(self.job.store, self.job.photos, bucket, finish(photos, tables["splits"]))
        kept = json.dumps(Summary.of(photos).as_json())
        self.job.store.put(f"{self.job.summaries}/{bucket:05d}.json", kept.encode())
        if self.job.before:
            before = read_bucket(self.job.store, self.job.before, bucket, RESOLVED_PHOTOS, [*HELD])
            replaced = json.dumps(Replaced.of(photos, before).as_json())
            self.job.store.put(f"{self.job.replaced}/{bucket:05d}.json", replaced.encode())


def _read_working(bucket: int, store: Store, catalogue: str) -> pa.Table:
    items = read_bucket(store, f"{catalogue}/items", bucket, ITEMS, ["item_id", "group_id", "title", "category"])
    return with_labels(read_bucket(store, f"{catalogue}/photos", bucket, PHOTOS), items)
