"""Beam transforms that move Arrow tables by bucket: one message a (source, bucket), joined by CoGroupByKey."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipelines.store import Store, UnitTable
from pipelines.tables.arrow import from_ipc
from pipelines.tables.buckets import partition, read_bucket
from pipelines.tables.unit_keys import Tables, read_unit_keys


class ReadBuckets(beam.PTransform):
    """Read a bucketed table: one Arrow table an existing bucket, through `adapt` if given."""

    def __init__(
        self,
        store: Store,
        folder: str,
        schema: pa.Schema,
        buckets: int,
        adapt: Callable[[pa.Table], pa.Table] | None = None,
    ) -> None:
        super().__init__()
        self.store, self.folder, self.schema, self.buckets, self.adapt = store, folder, schema, buckets, adapt

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Create the bucket numbers, read each."""
        return pipeline | CreateEach(range(self.buckets)) | beam.Map(self._read)

    def _read(self, bucket: int) -> pa.Table:
        table = read_bucket(self.store, self.folder, bucket, self.schema)
        return self.adapt(table) if self.adapt else table


class ListUnits(beam.PTransform):
    """List the committed units of unit tables: (prefix, unit_id), spread over the workers."""

    def __init__(self, store: Store, prefixes: Iterable[str]) -> None:
        super().__init__()
        self.store, self.prefixes = store, list(prefixes)

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """List each prefix on a worker, then reshuffle."""
        return pipeline | beam.Create(self.prefixes) | beam.FlatMap(self._units) | beam.Reshuffle()

    def _units(self, prefix: str) -> Iterator[tuple[str, str]]:
        yield from ((prefix, unit_id) for unit_id in UnitTable(self.store, prefix).unit_ids())


class ReadUnitKeys(beam.PTransform):
    """Read the keys of unit tables: one Arrow table a unit, with columns `unit_id` and `prefix` added."""

    def __init__(self, store: Store, prefixes: Iterable[str]) -> None:
        super().__init__()
        self.store, self.prefixes = store, list(prefixes)

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """List each prefix on a worker, then read each unit's keys."""
        return pipeline | ListUnits(self.store, self.prefixes) | beam.MapTuple(self._read)

    def _read(self, prefix: str, unit_id: str) -> pa.Table:
        return read_unit_keys(self.store, prefix, unit_id)


class JoinByBucket(beam.PTransform):
    """Bring tables together by the bucket of a key column each; yields `join(bucket, {name: table})` results.

    `keys` gives each input's key column, `schemas` the schema of an input that sends nothing to a bucket. Rows whose
    keys `key_of` makes the same of come together, too.
    """

    def __init__(
        self,
        keys: Mapping[str, str],
        schemas: Mapping[str, pa.Schema],
        buckets: int,
        join: Callable[[int, Tables], Any],
        key_of: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self.keys, self.schemas, self.buckets, self.join = dict(keys), dict(schemas), buckets, join
        self.key_of = key_of

    def expand(self, inputs: Mapping[str, beam.PCollection]) -> beam.PCollection:
        """Partition every input, group by bucket, join."""
        parts = {
            name: tables | f"Partition_{name}" >> beam.FlatMap(partition, self.keys[name], self.buckets, self.key_of)
            for name, tables in inputs.items()
        }
        return parts | beam.CoGroupByKey() | beam.MapTuple(self._join)

    def _join(self, bucket: int, parts: Mapping[str, Iterable[bytes]]) -> Any:
        tables = {name: from_ipc(sorted(parts[name]), schema) for name, schema in self.schemas.items()}
        return self.join(bucket, tables)


class CreateEach(beam.PTransform):
    """Create a collection whose elements are spread over the workers, one bundle an element at the finest."""

    def __init__(self, values: Iterable[Any]) -> None:
        super().__init__()
        self.values = list(values)

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Create and reshuffle."""
        return pipeline | beam.Create(self.values, reshuffle=True)
