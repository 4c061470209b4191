"""Units of work: what is to do is written once as a plan, cut into units, and done unit by unit.

A plan is `<prefix>/plan/todo/<bucket>-<checksum>.parquet` (rows to do, written by Beam) and `<prefix>/plan/plan.json`
(which row ranges make which unit, written last). A rerun finds the plan and does the units that are not committed. The
launcher sees counts and checksums, never rows.

Nothing of a plan is removed while the run lives: a job of an earlier attempt may still be writing. Files are named by
their rows, and what a planning job says of them lies in a folder of its attempt, so no attempt sees another's half.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from pipelines.config import BeamSection
from pipelines.jobs.jobs import Jobs
from pipelines.store import Log, NotFoundError, Store
from pipelines.tables.arrow import to_ipc
from pipelines.tables.buckets import read_parquet, write_parquet

PLAN = "plan/plan.json"
STEP = "plan"
UNITS_A_LANE = 8
NAMED_DIGITS = 12
"""Of a checksum: they tell apart what a few attempts wrote of one bucket."""


@dataclass(frozen=True)
class TodoBucket:
    """How many rows of one bucket are to do, and the sha256 of those rows."""

    bucket: int
    rows: int
    checksum: str

    @property
    def name(self) -> str:
        """The name of the file that holds the rows, below the plan."""
        return f"{self.bucket:05d}-{self.checksum[:NAMED_DIGITS]}"


@dataclass(frozen=True)
class Unit:
    """One unit of work: row ranges [(file, start, stop)] of the plan's rows."""

    unit_id: str
    parts: tuple[tuple[str, int, int], ...]

    @property
    def rows(self) -> int:
        """Number of rows to do."""
        return sum(stop - start for _, start, stop in self.parts)


def run_plan(store: Store, prefix: str, jobs: Jobs, build: Callable[[Any, str], Any]) -> str:
    """Run the job that plans, and return the folder of its findings, which `build(pipeline, folder)` was told.

    Where the job of the last attempt still runs on a cluster, it is waited for. One that has ended without a plan is
    followed by another, in a folder of its own: the last one may have left half of its findings.
    """
    attempts = Log(store, f"{prefix}/plan/attempts")
    number, _ = attempts.head()
    if not number or not jobs.join(f"{STEP}-{number}"):
        number += 1
        attempts.append(number, {})
        jobs.run(f"{STEP}-{number}", lambda pipeline: build(pipeline, _findings(prefix, number)))
    return _findings(prefix, number)


def write_todo(store: Store, prefix: str, bucket: int, rows: pa.Table) -> TodoBucket:
    """Write the rows of a bucket that are to do. Runs on a worker; a retry that finds others writes another file."""
    todo = TodoBucket(bucket, rows.num_rows, hashlib.sha256(to_ipc(rows)).hexdigest())
    write_parquet(store, _rows_name(prefix, todo.name), rows)
    return todo


def cut(buckets: Iterable[TodoBucket], rows_a_unit: int) -> list[Unit]:
    """Cut the rows to do into units of nearly equal size, at most `rows_a_unit` each.

    The unit's id is the digest of its rows' checksums and ranges, so the same plan gives the same units.
    """
    filled = sorted((b for b in buckets if b.rows), key=lambda b: b.bucket)
    total = sum(b.rows for b in filled)
    count = -(-total // rows_a_unit)
    ends = [total * (i + 1) // count for i in range(count)]
    units: list[Unit] = []
    parts: list[tuple[TodoBucket, int, int]] = []
    at = 0
    for bucket in filled:
        start = 0
        while start < bucket.rows:
            stop = min(bucket.rows, start + ends[len(units)] - at)
            parts.append((bucket, start, stop))
            at, start = at + stop - start, stop
            if at == ends[len(units)]:
                units.append(_unit(parts))
                parts = []
    return units


def cut_lanes(units: Sequence[Unit], count: int) -> list[tuple[Unit, ...]]:
    """Return the units in so many lanes, nearly equal in number: what one worker does side by side."""
    count = max(1, min(count, len(units)))
    return [tuple(units[lane::count]) for lane in range(count)]


def lane_count(section: BeamSection, units: int) -> int:
    """Return how many lanes keep the workers busy whose time goes by waiting: one a process of this machine.

    How many workers a cluster has is known to it alone, so lanes are short there.
    """
    if section.runner != "in_process":
        return -(-units // UNITS_A_LANE)
    processes = [option.partition("=")[2] for option in section.options if option.startswith("--direct_num_workers")]
    return int(processes[-1]) or len(os.sched_getaffinity(0)) if processes else 1


def write_plan(store: Store, prefix: str, units: Sequence[Unit], **facts: Any) -> None:
    """Write plan.json: the plan is complete from here on."""
    store.create_json(f"{prefix}/{PLAN}", {"units": [asdict(unit) for unit in units], **facts})


def read_plan(store: Store, prefix: str) -> tuple[list[Unit], dict[str, Any]] | None:
    """Return the units and the facts of a complete plan, or None."""
    try:
        plan = store.read_json(f"{prefix}/{PLAN}")
    except NotFoundError:
        return None
    units = [Unit(unit["unit_id"], tuple((f, s, e) for f, s, e in unit["parts"])) for unit in plan.pop("units")]
    return units, plan


def read_work(store: Store, prefix: str, unit: Unit) -> pa.Table:
    """Return the rows of a unit, in plan order. Raises NotFoundError when the plan is gone."""
    try:
        tables = [read_parquet(store, _rows_name(prefix, name)).slice(s, e - s) for name, s, e in unit.parts]
    except NotFoundError as error:
        raise NotFoundError(f"the plan {prefix}/plan of unit {unit.unit_id} is gone; start a new run") from error
    return pa.concat_tables(tables)


def _rows_name(prefix: str, name: str) -> str:
    return f"{prefix}/plan/todo/{name}.parquet"


def _findings(prefix: str, attempt: int) -> str:
    return f"{prefix}/plan/{attempt}"


def _unit(parts: Sequence[tuple[TodoBucket, int, int]]) -> Unit:
    name = hashlib.sha256()
    for todo, start, stop in parts:
        name.update(f"{todo.bucket}:{start}:{stop}:{todo.checksum};".encode())
    return Unit(name.hexdigest()[:16], tuple((todo.name, start, stop) for todo, start, stop in parts))
