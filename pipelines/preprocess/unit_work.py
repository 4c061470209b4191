"""A unit of photos: its rows of the plan, and the commit that ends it."""

from __future__ import annotations

import pyarrow as pa

from pipelines.jobs.units import Unit, read_work
from pipelines.preprocess.changes import TODO
from pipelines.preprocess.job import Job
from pipelines.preprocess.outcomes import UnitTables
from pipelines.store import UnitTable


def read_todo(job: Job, unit: Unit) -> pa.Table:
    """Return the rows of a unit (TODO), also of a plan that an earlier version has made. Raises NotFoundError."""
    work = read_work(job.store, job.prefix, unit)
    columns = [work[f.name] if f.name in work.schema.names else pa.nulls(len(work), f.type) for f in TODO]
    return pa.table(columns, schema=TODO)


def commit_unit(job: Job, unit_id: str, tables: UnitTables) -> None:
    """Commit one unit: the images first, then the sources that make a rerun skip it."""
    data = tables.image_data if tables.image_data.num_rows else None
    UnitTable(job.store, job.images).commit(unit_id, tables.image_keys, data)
    UnitTable(job.store, "sources").commit(unit_id, tables.sources)
