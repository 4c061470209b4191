"""The preprocess stage: plan what is new, do it unit by unit, then resolve every photo of the catalogue."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.beam import CreateEach, run_pipeline, worker_threads
from pipelines.preprocess.fetching import Fetcher
from pipelines.preprocess.planning import KNOWN, TODO, CompareSources, lacking_images, sorted_todo
from pipelines.preprocess.preparing import Preparer
from pipelines.preprocess.resolving import WORKING, ResolveImages, ResolveSources, finish, with_title_keys
from pipelines.preprocess.splitting import SPLITS, commit_splits, group_and_split
from pipelines.shuffle import JoinByBucket, ReadBuckets, ReadUnitKeys
from pipelines.stage import Ledger, RunContext, StageResult
from pipelines.store import Store, UnitTable
from pipelines.tables import IMAGE_KEYS, ITEMS, PHOTOS, SOURCE_KEYS, read_bucket, write_bucket
from pipelines.work import TodoBucket, Unit, cut, read_plan, read_work, write_plan, write_todo
from transforms.photo import Limits, PrepSpec

NAMED_SOURCES = pa.schema([*SOURCE_KEYS, ("unit_id", pa.string()), ("prefix", pa.string())])
NAMED_IMAGES = pa.schema([*IMAGE_KEYS, ("unit_id", pa.string()), ("prefix", pa.string())])


@dataclass(frozen=True)
class Job:
    """What the steps of one run share; small, for it travels to workers."""

    store: Store
    prefix: str
    catalogue: str
    images: str
    buckets: int
    preparer: Preparer

    @property
    def photos(self) -> str:
        """Folder of the resolved table."""
        return f"{self.prefix}/photos"


def run(context: RunContext) -> StageResult:
    """Prepare what is new and resolve the photos of the run's catalogue."""
    section = context.config.preprocess
    catalogue_id = context.outputs("catalogue")["catalogue_id"]
    spec = PrepSpec(section.height, section.width, section.quality)
    job = _job(context, catalogue_id, spec)
    units = _plan(context, job)
    _do(context, job, units)
    ledger = _resolve(context, job, frozenset(unit.unit_id for unit in units))
    ledger.check_share("preprocess", section.max_rejected_share)
    fetched = sum(unit.rows for unit in units)
    outputs = {"prep_id": spec.prep_id, "catalogue_id": catalogue_id, "photos": job.photos}
    notes = [] if fetched else ["nothing new: 0 photos fetched, 0 prepared"]
    return StageResult(ledger, {"fetched": fetched, "prepared": fetched, "units": len(units)}, outputs, notes=notes)


def _job(context: RunContext, catalogue_id: str, spec: PrepSpec) -> Job:
    section, config = context.config.preprocess, context.config
    limits = Limits(max_bytes=section.max_bytes, max_pixels=section.max_pixels, min_side=section.min_side)
    fetcher = Fetcher(str(config.resolve(config.catalogue.photo_root)), section.max_bytes)
    preparer = Preparer(fetcher, spec, limits, worker_threads(config.beam))
    catalogue, images = f"catalogue/{catalogue_id}", f"images/{spec.prep_id}"
    return Job(context.store, context.prefix("preprocess"), catalogue, images, context.buckets, preparer)


def _plan(context: RunContext, job: Job) -> list[Unit]:
    planned = read_plan(job.store, job.prefix)
    if planned is None:
        run_pipeline(context.config.beam, lambda pipeline: _build_plan(pipeline, job))
        buckets = [TodoBucket(**job.store.read_json(e.name)) for e in job.store.list(f"{job.prefix}/plan/counts")]
        write_plan(job.store, job.prefix, cut(buckets, context.config.preprocess.photos_a_unit))
        planned = read_plan(job.store, job.prefix)
    return planned[0] if planned else []


def _build_plan(pipeline: beam.Pipeline, job: Job) -> None:
    photos = pipeline | "ReadPhotos" >> ReadBuckets(job.store, f"{job.catalogue}/photos", PHOTOS, job.buckets, _uris)
    sources = pipeline | "ReadSources" >> ReadUnitKeys(job.store, ["sources"])
    images = pipeline | "ReadImages" >> ReadUnitKeys(job.store, [job.images])
    compared = {"photos": photos, "sources": sources} | "CompareSources" >> JoinByBucket(
        {"photos": "image_uri", "sources": "image_uri"},
        {"photos": PHOTOS, "sources": NAMED_SOURCES},
        job.buckets,
        CompareSources(job.preparer.fetcher, 4 * job.preparer.threads),
    )
    known = compared | "Known" >> beam.Map(lambda pair: pair[1])
    lacking = {"known": known, "images": images} | "LackingImages" >> JoinByBucket(
        {"known": "digest", "images": "digest"}, {"known": KNOWN, "images": NAMED_IMAGES}, job.buckets, lacking_images
    )
    todo = (compared | "New" >> beam.Map(lambda pair: pair[0]), lacking) | "Todo" >> beam.Flatten()
    _ = {"todo": todo} | "WriteTodo" >> JoinByBucket(
        {"todo": "image_uri"}, {"todo": TODO}, job.buckets, _WriteTodo(job.store, job.prefix)
    )


@dataclass(frozen=True)
class _WriteTodo:
    store: Store
    prefix: str

    def __call__(self, bucket: int, tables: dict[str, pa.Table]) -> None:
        counted = write_todo(self.store, self.prefix, bucket, sorted_todo(tables))
        self.store.create_json(f"{self.prefix}/plan/counts/{bucket:05d}.json", asdict(counted))


def _uris(photos: pa.Table) -> pa.Table:
    return photos


def _do(context: RunContext, job: Job, units: list[Unit]) -> None:
    sources, images = UnitTable(job.store, "sources"), UnitTable(job.store, job.images)

    def done(unit_id: str) -> bool:
        return images.has(unit_id) and sources.has(unit_id)

    left = [unit for unit in units if not done(unit.unit_id)]
    if not left:
        return
    rows = {unit.unit_id: unit.rows for unit in units}
    with context.progress.watch(
        "preprocess: photos", sum(rows.values()), lambda: sum(n for unit_id, n in rows.items() if done(unit_id))
    ):
        run_pipeline(
            context.config.beam,
            lambda p: (
                p
                | CreateEach(left)
                | "PrepareUnits" >> beam.Map(prepare_unit, job.store, job.prefix, job.images, job.preparer)
            ),
        )


def prepare_unit(unit: Unit, store: Store, prefix: str, images: str, preparer: Preparer) -> None:
    """Prepare one unit and commit it: the images first, then the sources that make a rerun skip it."""
    tables = preparer(read_work(store, prefix, unit, TODO))
    data = tables.image_data if tables.image_data.num_rows else None
    UnitTable(store, images).commit(unit.unit_id, tables.image_keys, data)
    UnitTable(store, "sources").commit(unit.unit_id, tables.sources)


def _resolve(context: RunContext, job: Job, unit_ids: frozenset[str]) -> Ledger:
    section = context.config.preprocess
    run_pipeline(context.config.beam, lambda p: _build_resolve(p, job, unit_ids, section.val_share, section.test_share))
    counts: Counter[str] = Counter()
    for entry in job.store.list(f"{job.prefix}/counts"):
        counts.update(job.store.read_json(entry.name))
    ok, skipped = counts.pop("ok", 0), counts.pop("skipped", 0)
    rejected = sum(counts.values())
    return Ledger(ok + skipped + rejected, ok, skipped, rejected, dict(counts))


def _build_resolve(
    pipeline: beam.Pipeline, job: Job, unit_ids: frozenset[str], val_share: float, test_share: float
) -> None:
    photos = pipeline | "ReadPhotos" >> (
        CreateEach(range(job.buckets)) | beam.Map(_read_working, job.store, job.catalogue)
    )
    sources = pipeline | "ReadSources" >> ReadUnitKeys(job.store, ["sources"])
    images = pipeline | "ReadImages" >> ReadUnitKeys(job.store, [job.images])
    known = pipeline | "ReadSplits" >> ReadUnitKeys(job.store, ["splits"])
    fetched = {"photos": photos, "sources": sources} | "ResolveSources" >> JoinByBucket(
        {"photos": "image_uri", "sources": "image_uri"},
        {"photos": WORKING, "sources": NAMED_SOURCES},
        job.buckets,
        ResolveSources(unit_ids),
    )
    with_photo = fetched | "WithPhoto" >> beam.Map(lambda t: t.filter(pc.field("digest").is_valid()))
    without = fetched | "WithoutPhoto" >> beam.Map(lambda t: t.filter(pc.field("digest").is_null()))
    prepared = {"photos": with_photo, "images": images} | "ResolveImages" >> JoinByBucket(
        {"photos": "digest", "images": "digest"},
        {"photos": WORKING, "images": NAMED_IMAGES},
        job.buckets,
        ResolveImages(unit_ids),
    )
    rows = (prepared, without) | "AllPhotos" >> beam.Flatten()
    splits = group_and_split(rows, known, job.buckets, val_share, test_share)
    _ = splits | "CommitSplits" >> beam.Map(commit_splits, job.store)
    _ = {"photos": rows, "splits": splits | "SplitRows" >> beam.Map(lambda pair: pair[0])} | "Finish" >> JoinByBucket(
        {"photos": "item_id", "splits": "item_id"}, {"photos": WORKING, "splits": SPLITS}, job.buckets, _Finish(job)
    )


@dataclass(frozen=True)
class _Finish:
    job: Job

    def __call__(self, bucket: int, tables: dict[str, pa.Table]) -> None:
        photos = tables["photos"]
        write_bucket(self.job.store, self.job.photos, bucket, finish(photos, tables["splits"]))
        counts: Counter[str] = Counter()
        for code, done in zip(photos["code"].to_pylist(), photos["done_now"].to_pylist(), strict=True):
            counts[code or ("ok" if done else "skipped")] += 1
        self.job.store.put(f"{self.job.prefix}/counts/{bucket:05d}.json", json.dumps(counts).encode())


def _read_working(bucket: int, store: Store, catalogue: str) -> pa.Table:
    items = read_bucket(store, f"{catalogue}/items", bucket, ITEMS, ["item_id", "group_id", "title"])
    return with_title_keys(read_bucket(store, f"{catalogue}/photos", bucket, PHOTOS), items)
