"""Whether nothing is to be fetched or prepared, told at once: most runs of a small shop find all as it was before.

The joins of the plan, done here in one bucket: a job takes longer to start than some thousand photos on this machine
take to be looked at. Where there is anything to do, or this process is not the one to say, the job plans.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from pipelines.config.places import is_far
from pipelines.preprocess.changes import NAMED_ORIGINALS, lacking_images
from pipelines.preprocess.job import Job
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs
from pipelines.shop_files.fetch import LISTED
from pipelines.store import Log, Store, UnitTable
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import PHOTOS
from pipelines.tables.unit_keys import read_unit_keys

MOST_PHOTOS: Final = 20_000
"""Of a catalogue whose photos are looked at here."""
_NONE: Final = NAMED_ORIGINALS.empty_table()
"""Where nothing is lacking, it does not matter what is kept."""
MOST_UNITS: Final = 200
"""Of a table whose keys are read here: it grows with what there ever was, and memory must not."""


def all_as_before(context: RunContext, job: Job) -> bool:
    """Tell whether this process finds every photo as it was and prepared; False says nothing."""
    if not _are_here(context, job):
        return False
    units = {table: UnitTable(job.store, table).unit_ids() for table in ("sources", job.images)}
    entry = Log(context.store, "catalogue/log").entry(context.outputs(CatalogueOutputs).number)
    few = entry["counts"]["photos"] <= MOST_PHOTOS and all(0 < len(ids) <= MOST_UNITS for ids in units.values())
    if not few:
        return False
    folder, columns = f"{job.catalogue}/photos", ["image_uri"]
    buckets = [read_bucket(job.store, folder, bucket, PHOTOS, columns) for bucket in range(context.buckets)]
    sources, images = (_keys(job.store, table, ids) for table, ids in units.items())
    photos = {"photos": pa.concat_tables(buckets), "sources": sources, "listed": LISTED.empty_table()}
    new, seen, _ = job.compare(0, photos)
    return not new.num_rows and not lacking_images(0, {"seen": seen, "images": images, "originals": _NONE}).num_rows


def _are_here(context: RunContext, job: Job) -> bool:
    """Tell whether photos are on the disks of this machine, where the workers of a job would look at them too."""
    roots = (job.preparer.fetcher.root, *job.preparer.fetcher.more)
    return context.config.beam.runner == "in_process" and not any(map(is_far, roots))


def _keys(store: Store, table: str, unit_ids: list[str]) -> pa.Table:
    return pa.concat_tables(read_unit_keys(store, table, unit_id) for unit_id in unit_ids)
