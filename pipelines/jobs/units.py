"""Units of work: what is to do is written once as a plan, cut into units, and done unit by unit.

A plan is `<prefix>/plan/todo/<bucket>.parquet` (rows to do, written by Beam) and `<prefix>/plan/plan.json` (which row
ranges make which unit, written last). A rerun finds the plan and does the units that are not committed. The launcher
sees counts and checksums, never rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from pipelines.store import NotFoundError, Store
from pipelines.tables.arrow import to_ipc
from pipelines.tables.buckets import bucket_name, read_bucket, write_bucket

PLAN = "plan/plan.json"


@dataclass(frozen=True)
class TodoBucket:
    """How many rows of one bucket are to do, and the sha256 of those rows."""

    bucket: int
    rows: int
    checksum: str


@dataclass(frozen=True)
class Unit:
    """One unit of work: row ranges [(bucket, start, stop)] of the plan's rows."""

    unit_id: str
    parts: tuple[tuple[int, int, int], ...]

    @property
    def rows(self) -> int:
        """Number of rows to do."""
        return sum(stop - start for _, start, stop in self.parts)


def write_todo(store: Store, prefix: str, bucket: int, rows: pa.Table) -> TodoBucket:
    """Write the rows of a bucket that are to do. Runs on a worker; a retry writes the same rows."""
    write_bucket(store, f"{prefix}/plan/todo", bucket, rows)
    return TodoBucket(bucket, rows.num_rows, hashlib.sha256(to_ipc(rows)).hexdigest())


def cut(buckets: Iterable[TodoBucket], rows_a_unit: int) -> list[Unit]:
    """Cut the rows to do into units of nearly equal size, at most `rows_a_unit` each.

    The unit's id is the digest of its rows' checksums and ranges, so the same plan gives the same units.
    """
    filled = sorted((b for b in buckets if b.rows), key=lambda b: b.bucket)
    total = sum(b.rows for b in filled)
    count = -(-total // rows_a_unit)
    ends = [total * (i + 1) // count for i in range(count)]
    checksums = {b.bucket: b.checksum for b in filled}
    units: list[Unit] = []
    parts: list[tuple[int, int, int]] = []
    at = 0
    for bucket in filled:
        start = 0
        while start < bucket.rows:
            stop = min(bucket.rows, start + ends[len(units)] - at)
            parts.append((bucket.bucket, start, stop))
            at, start = at + stop - start, stop
            if at == ends[len(units)]:
                units.append(_unit(parts, checksums))
                parts = []
    return units


def write_plan(store: Store, prefix: str, units: Sequence[Unit], **facts: Any) -> None:
    """Write plan.json: the plan is complete from here on."""
    store.create_json(f"{prefix}/{PLAN}", {"units": [asdict(unit) for unit in units], **facts})


def read_plan(store: Store, prefix: str) -> tuple[list[Unit], dict[str, Any]] | None:
    """Return the units and the facts of a complete plan, or None."""
    try:
        plan = store.read_json(f"{prefix}/{PLAN}")
    except NotFoundError:
        discard_todo(store, prefix)
        return None
    units = [Unit(unit["unit_id"], tuple((b, s, e) for b, s, e in unit["parts"])) for unit in plan.pop("units")]
    return units, plan


def discard_todo(store: Store, prefix: str) -> None:
    """Remove the rows of a plan that was never completed, so that planning starts afresh."""
    for entry in list(store.list(f"{prefix}/plan")):
        store.delete(entry.name)


def read_work(store: Store, prefix: str, unit: Unit, schema: pa.Schema) -> pa.Table:
    """Return the rows of a unit, in plan order. Raises NotFoundError when the plan is gone."""
    tables = []
    for bucket, start, stop in unit.parts:
        if not store.exists(f"{prefix}/plan/todo/{bucket_name(bucket)}"):
            raise NotFoundError(f"the plan {prefix}/plan of unit {unit.unit_id} is gone; start a new run")
        tables.append(read_bucket(store, f"{prefix}/plan/todo", bucket, schema).slice(start, stop - start))
    return pa.concat_tables(tables)


def _unit(parts: list[tuple[int, int, int]], checksums: dict[int, str]) -> Unit:
    name = hashlib.sha256()
    for bucket, start, stop in parts:
        name.update(f"{bucket}:{start}:{stop}:{checksums[bucket]};".encode())
    return Unit(name.hexdigest()[:16], tuple(parts))
