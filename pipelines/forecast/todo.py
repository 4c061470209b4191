"""What catalogues would have to do, one after the other: photos to fetch, prepare and infer, each at the first one.

Joins keys in Beam, as the stages' own planning does, but for a whole window at once, and writes nothing that a stage
reads. It takes photos that were fetched to be as they were, for only asking for each would tell.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import JoinByBucket, ReadBuckets, ReadUnitKeys
from pipelines.preprocess.changes import ALONE, newest_sources
from pipelines.shop_files.web.identity import Identity, stem
from pipelines.store import Store
from pipelines.tables.arrow import first_of_each, index_of
from pipelines.tables.schemas import DIGEST, IMAGE_KEYS, PHOTOS, SOURCE_KEYS, VECTOR_KEYS
from pipelines.tables.unit_keys import Tables, unit_keys

WANTED = pa.schema([("image_uri", pa.string()), ("day", pa.int32())])
KNOWN = pa.schema([("digest", DIGEST), ("day", pa.int32())])
FIRST = [("day", "ascending")]
WORK = ("fetch", "prepare", "infer")


@dataclass(frozen=True)
class ToDo:
    """How many photos are to be fetched, prepared and inferred."""

    fetch: int = 0
    prepare: int = 0
    infer: int = 0


@dataclass(frozen=True)
class Question:
    """What is asked: the catalogues in the order in which they are run, and which units count as there.

    `damaged` are (table, unit) that do not. `identity` tells by what photos are known.
    """

    catalogues: tuple[str, ...]
    images: str
    vectors: tuple[str, ...]
    damaged: frozenset[tuple[str, str]] = frozenset()
    identity: Identity = ALONE


def count(store: Store, jobs: Jobs, question: Question, buckets: int, name: str) -> list[ToDo]:
    """Return what each catalogue has to do when those before it are done; `name` is an object to keep the counts in."""

    def build(pipeline: beam.Pipeline) -> None:
        sound = _Sound(question.damaged)
        photos = [
            pipeline
            | f"Photos{day}"
            >> ReadBuckets(
                store,
                f"catalogue/{catalogue}/photos",
                PHOTOS,
                buckets,
                partial(_on_day, day=day, identity=question.identity),
            )
            for day, catalogue in enumerate(question.catalogues)
        ] | "AllPhotos" >> beam.Flatten()
        keys = {
            what: pipeline | f"Read_{what}" >> ReadUnitKeys(store, prefixes) | f"Sound_{what}" >> beam.Map(sound)
            for what, prefixes in {
                "sources": ["sources"], "images": [question.images], "vectors": list(question.vectors)
            }.items()
        }  # fmt: skip
        by_uri = {"photos": photos, "sources": keys["sources"]} | "ByUri" >> JoinByBucket(
            {"photos": "image_uri", "sources": "image_uri"},
            {"photos": WANTED, "sources": unit_keys(SOURCE_KEYS)},
            buckets,
            partial(_by_uri, identity=question.identity),
            stem,
        )
        known = by_uri | "Known" >> beam.Map(lambda found: found[1])
        by_digest = {"known": known, "images": keys["images"], "vectors": keys["vectors"]} | "ByDigest" >> JoinByBucket(
            dict.fromkeys(("known", "images", "vectors"), "digest"),
            {"known": KNOWN, "images": unit_keys(IMAGE_KEYS), "vectors": unit_keys(VECTOR_KEYS)},
            buckets,
            _by_digest,
        )
        _ = (
            (by_uri | "New" >> beam.Map(lambda found: found[0]), by_digest)
            | "Counts" >> beam.Flatten()
            | "AddUp" >> beam.CombineGlobally(lambda counters: sum(counters, Counter()))
            | "Keep" >> beam.Map(lambda counts: store.put(name, json.dumps(counts).encode()))
        )

    jobs.run("count", build)
    counts = store.read_json(name)
    return [ToDo(*(counts.get(f"{day}:{what}", 0) for what in WORK)) for day in range(len(question.catalogues))]


@dataclass(frozen=True)
class _Sound:
    """Leaves the keys of damaged units out, as if they were not there."""

    damaged: frozenset[tuple[str, str]]

    def __call__(self, keys: pa.Table) -> pa.Table:
        if not keys.num_rows or (keys["prefix"][0].as_py(), keys["unit_id"][0].as_py()) not in self.damaged:
            return keys
        return keys.slice(0, 0)


def _on_day(photos: pa.Table, day: int, identity: Identity) -> pa.Table:
    uris = pc.unique(identity.column(photos["image_uri"]))
    return pa.table([uris, pa.array(np.full(len(uris), day), pa.int32())], schema=WANTED)


def _by_uri(_: int, tables: Tables, identity: Identity) -> tuple[Counter[str], pa.Table]:
    """Return what is to do of the photos that were never fetched, and where the others first stand (KNOWN)."""
    wanted = first_of_each(tables["photos"], "image_uri", FIRST)
    sources = newest_sources(tables["sources"], identity)
    at = index_of(wanted["image_uri"], sources["image_uri"])
    new = _by_day(wanted.filter(pa.array(at < 0)), WORK)
    digests = sources["digest"].combine_chunks().take(pa.array(at, mask=at < 0))
    known = pa.table([digests, wanted["day"]], schema=KNOWN)
    return new, known.filter(pc.field("digest").is_valid())


def _by_digest(_: int, tables: Tables) -> Counter[str]:
    known = first_of_each(tables["known"], "digest", FIRST)
    images, vectors = tables["images"], tables["vectors"]
    prepared = index_of(known["digest"], images["digest"]) >= 0
    rejected = index_of(known["digest"], images.filter(pc.field("code") != "")["digest"]) >= 0
    inferred = index_of(known["digest"], vectors["digest"]) >= 0
    counts = _by_day(known.filter(pa.array(~prepared)), ("fetch", "prepare"))
    counts.update(_by_day(known.filter(pa.array(~inferred & ~rejected)), ("infer",)))
    return counts


def _by_day(rows: pa.Table, what: Sequence[str]) -> Counter[str]:
    days, counts = np.unique(rows["day"].to_numpy(), return_counts=True)
    return Counter({f"{day}:{name}": int(n) for day, n in zip(days, counts, strict=True) for name in what})
