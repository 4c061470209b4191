"""What is to do: active photos without a vector from any model of the space, in the order in which images are kept.

Owns the planning pipeline. Its shuffles carry digests and positions, never pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.embed.outputs import VIEW
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import JoinByBucket, ReadBuckets, ReadUnitKeys
from pipelines.jobs.units import TodoBucket, run_plan, write_todo
from pipelines.store import Store
from pipelines.tables.arrow import first_of_each, from_ipc, index_of
from pipelines.tables.buckets import partition
from pipelines.tables.schemas import DIGEST, RESOLVED_PHOTOS, VECTOR_KEYS
from pipelines.tables.unit_keys import Tables, unit_keys

TODO = pa.schema([("digest", DIGEST), ("image_unit", pa.string()), ("image_row", pa.int32())])
COMMITTED = unit_keys(VECTOR_KEYS)


@dataclass(frozen=True)
class Planned:
    """How many distinct photos are wanted, and the buckets of rows to do."""

    wanted: int
    todo: tuple[TodoBucket, ...]


def active(photos: pa.Table) -> pa.Table:
    """Return where the prepared photos of resolved rows are, one row a photo, as TODO."""
    return distinct(photos.filter(pc.equal(photos["code"], "")).select(TODO.names))


def distinct(photos: pa.Table) -> pa.Table:
    """Return one row a digest; of two places the smallest image unit wins, as everywhere."""
    return first_of_each(photos, "digest", [("digest", "ascending"), ("image_unit", "ascending")])


def missing(wanted: pa.Table, committed: pa.Table) -> pa.Table:
    """Return the wanted rows whose (digest, view) is not committed, neither as a vector nor as a reject."""
    done = committed.filter(pc.equal(committed["view"], VIEW))
    return wanted.filter(pa.array(index_of(wanted["digest"], done["digest"]) < 0))


def plan(store: Store, jobs: Jobs, photos: str, prefixes: Sequence[str], folder: str, buckets: int) -> Planned:
    """Write the rows to do below `folder` and return their buckets.

    `photos` is the folder of the resolved table of photos, `prefixes` the unit tables of the space.
    """

    def build(pipeline: beam.Pipeline, findings: str) -> None:
        inputs = {
            "photos": pipeline | "Photos" >> ReadBuckets(store, photos, RESOLVED_PHOTOS, buckets, active),
            "keys": pipeline | "Keys" >> ReadUnitKeys(store, prefixes),
        }
        keys, schemas = dict.fromkeys(inputs, "digest"), {"photos": TODO, "keys": COMMITTED}
        joined = inputs | "JoinByDigest" >> JoinByBucket(keys, schemas, buckets, _select)
        written = (
            joined
            | "ByImageUnit" >> beam.FlatMap(_by_image_unit, buckets)
            | beam.GroupByKey()
            | "WriteTodo" >> beam.Map(_write, store, folder)
        )
        wanted = joined | "Wanted" >> beam.Map(lambda found: found[0]) | beam.CombineGlobally(sum)
        _ = (
            written
            | beam.combiners.ToList()
            | "Keep" >> beam.Map(_keep, store, _planned_name(findings), beam.pvalue.AsSingleton(wanted))
        )

    kept = store.read_json(_planned_name(run_plan(store, folder, jobs, build)))
    return Planned(kept["wanted"], tuple(TodoBucket(*values) for values in kept["todo"]))


def _planned_name(findings: str) -> str:
    return f"{findings}/planned.json"


def _select(_bucket: int, tables: Tables) -> tuple[int, pa.Table]:
    wanted = distinct(tables["photos"])
    return wanted.num_rows, missing(wanted, tables["keys"])


def _by_image_unit(found: tuple[int, pa.Table], buckets: int) -> Iterator[tuple[int, bytes]]:
    yield from partition(found[1], "image_unit", buckets)


def _write(group: tuple[int, Iterable[bytes]], store: Store, folder: str) -> TodoBucket:
    bucket, parts = group
    rows = from_ipc(sorted(parts), TODO)
    order = [("image_unit", "ascending"), ("image_row", "ascending"), ("digest", "ascending")]
    return write_todo(store, folder, bucket, rows.sort_by(order))


def _keep(todo: list[TodoBucket], store: Store, name: str, wanted: int) -> None:
    rows = sorted((t.bucket, t.rows, t.checksum) for t in todo)
    store.put(name, json.dumps({"wanted": wanted, "todo": rows}).encode())
