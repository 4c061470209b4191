"""Which vector stands for each photo: the newest model's, and of equal ones that of the smallest unit.

Owns the resolved table of vectors and the ledger's sums.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.embed.outputs import VIEW
from pipelines.embed.todo import COMMITTED, TODO, active, distinct
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import JoinByBucket, ReadBuckets, ReadUnitKeys
from pipelines.store import Store
from pipelines.tables.arrow import first_of_each, index_of
from pipelines.tables.buckets import write_bucket
from pipelines.tables.schemas import RESOLVED_PHOTOS, RESOLVED_VECTORS
from pipelines.tables.unit_keys import Tables

NO_VECTOR = "no_vector"


@dataclass(frozen=True)
class Resolved:
    """What became of the wanted photos: `inferred` by this run's plan, `kept` from before, `rejects` by code."""

    inferred: int = 0
    kept: int = 0
    rejects: Counter[str] = field(default_factory=Counter)

    @staticmethod
    def add_up(parts: Iterable[Resolved]) -> Resolved:
        """Return the sums."""
        parts = list(parts)
        rejects = sum((part.rejects for part in parts), Counter[str]())
        return Resolved(sum(p.inferred for p in parts), sum(p.kept for p in parts), rejects)


@dataclass(frozen=True)
class Resolver:
    """Resolves one bucket of digests; `models` are those of the space, newest first."""

    models: tuple[str, ...]
    plan_units: frozenset[str]

    def __call__(self, wanted: pa.Table, committed: pa.Table) -> tuple[pa.Table, Resolved]:
        """Return RESOLVED_VECTORS, one row a wanted digest, and the sums."""
        wanted = distinct(wanted)
        found = committed.filter(pc.equal(committed["view"], VIEW))
        best = first_of_each(self._ranked(found), "digest", _ORDER)
        where = index_of(wanted["digest"], best["digest"])
        table = best.take(pa.array(where[where >= 0])).select(RESOLVED_VECTORS.names).cast(RESOLVED_VECTORS)
        lost = wanted.filter(pa.array(where < 0))
        if lost.num_rows:
            nothing = [{"digest": d, "view": VIEW, "row": -1, "code": NO_VECTOR} for d in lost["digest"].to_pylist()]
            table = pa.concat_tables([table, pa.Table.from_pylist(nothing, RESOLVED_VECTORS)])
        return table.combine_chunks(), self._count(table, found)

    def _ranked(self, keys: pa.Table) -> pa.Table:
        model = pc.replace_substring_regex(keys["prefix"], "^.*/", "")
        newest_first = pa.array(index_of(model, pa.array(self.models, pa.string())))
        columns = {"model_id": model, "reject": pc.not_equal(keys["code"], ""), "age": newest_first}
        for name, values in columns.items():
            keys = keys.append_column(name, values)
        return keys

    def _count(self, table: pa.Table, keys: pa.Table) -> Resolved:
        planned = keys.filter(pc.is_in(keys["unit_id"], pa.array(sorted(self.plan_units), pa.string())))
        good = table.filter(pc.equal(table["code"], ""))
        inferred = int((index_of(good["digest"], planned["digest"]) >= 0).sum())
        rejects = table.filter(pc.not_equal(table["code"], ""))["code"].to_pylist()
        return Resolved(inferred, good.num_rows - inferred, Counter(rejects))


# A vector before a reject, then the newest model, then the smallest unit.
_ORDER = [("digest", "ascending"), ("reject", "ascending"), ("age", "ascending"), ("unit_id", "ascending")]


def resolve(
    store: Store, jobs: Jobs, photos: str, resolver: Resolver, space_id: str, folder: str, buckets: int
) -> Resolved:
    """Write `<folder>/vectors/<bucket>.parquet` and return the sums."""
    prefixes = [f"embeddings/{space_id}/{model_id}" for model_id in resolver.models]
    name = f"{folder}/resolved.json"

    def join(bucket: int, tables: Tables) -> Resolved:
        table, sums = resolver(tables["photos"], tables["keys"])
        if table.num_rows:
            write_bucket(store, f"{folder}/vectors", bucket, table)
        return sums

    def build(pipeline: beam.Pipeline) -> None:
        inputs = {
            "photos": pipeline | "Photos" >> ReadBuckets(store, photos, RESOLVED_PHOTOS, buckets, active),
            "keys": pipeline | "Keys" >> ReadUnitKeys(store, prefixes),
        }
        keys, schemas = dict.fromkeys(inputs, "digest"), {"photos": TODO, "keys": COMMITTED}
        _ = (
            inputs
            | "JoinByDigest" >> JoinByBucket(keys, schemas, buckets, join)
            | "AddUp" >> beam.CombineGlobally(Resolved.add_up)
            | "Keep" >> beam.Map(_keep, store, name)
        )

    jobs.run("resolve", build)
    kept = store.read_json(name)
    return Resolved(kept["inferred"], kept["kept"], Counter(kept["rejects"]))


def newest_first(store: Store, model_ids: Sequence[str], target: str) -> tuple[str, ...]:
    """Return the models of a space: the target, then the others by when they were exported, newest first."""

    def exported_at(model_id: str) -> float:
        name = f"models/{model_id}/model.json"
        return max((e.modified_at for e in store.list(f"models/{model_id}") if e.name == name), default=0.0)

    others = sorted((m for m in set(model_ids) if m != target), key=lambda m: (-exported_at(m), m))
    return (target, *others)


def _keep(sums: Resolved, store: Store, name: str) -> None:
    value = {"inferred": sums.inferred, "kept": sums.kept, "rejects": dict(sums.rejects)}
    store.put(name, json.dumps(value, sort_keys=True).encode())
