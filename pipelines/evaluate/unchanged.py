"""What need not be measured again: a run for which nothing is new that the live release's numbers depend on.

They depend on the settings; on what the tables of photos and vectors say (which photos there are, in which role, split
and group, and where their pictures and vectors lie); on the columns of the catalogue by which results are judged
(`JUDGED`); on the model, the slots of categories, and which of these are retired; and on the index that answers, by the
bytes of its files. Prices and dates are in none of these. Titles are where they name a group, for bounds are drawn by
group; and signals are, for ranking reads them from the index. An index whose build is not deterministic has other bytes
each time, so what it finds is measured each time it is built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from pipelines.neighbours.manifest import FILE
from pipelines.releases.release import Release
from pipelines.releases.unchanged import digest_of
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs
from pipelines.runs.retired import retired_of
from pipelines.tables.arrow import to_ipc
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.taxonomy import read_taxonomy
from pipelines.tables.variants import read_placeholders

JUDGED: Final = ["item_id", "group_id", "category", "attributes"]
"""What evaluate reads of the catalogue's items, but for titles, which only stand beside pictures."""


def measured_on(context: RunContext) -> str:
    """Return 16 hex digits of all that the numbers of the run's release depend on."""
    embed, gone = context.outputs(EmbedOutputs), retired_of(context)
    return digest_of(
        context,
        "evaluate",
        context.config.fingerprint(),
        embed.model_id,
        read_taxonomy(context.store),
        [sorted(slots) for slots in (gone.leaves, *gone.levels)],
        sorted(key.hex() for key in read_placeholders(context.store, context.outputs(PreprocessOutputs).placeholders)),
        context.store.sha256(f"indexes/{context.outputs(IndexOutputs).index_id}/{FILE}"),
        list(_judged(context)),
        list(_tables(context, context.outputs(PreprocessOutputs).photos)),
        list(_tables(context, embed.vectors)),
    )


def is_known(live: Release, key: str) -> bool:
    """Tell whether the live release was measured on the same, and passed: one that was accepted is judged anew."""
    return live.blessed and live.manifest.get("measured_on") == key


def _judged(context: RunContext) -> Iterator[str]:
    """Yield a digest of the columns that results are judged by, a bucket at a time."""
    folder = f"catalogue/{context.outputs(CatalogueOutputs).catalogue_id}/items"
    for bucket in range(context.buckets):
        items = read_bucket(context.store, folder, bucket, ITEMS, JUDGED)
        yield hashlib.sha256(to_ipc(items.sort_by("item_id"))).hexdigest()


def _tables(context: RunContext, folder: str) -> Iterator[str]:
    for entry in sorted(context.store.list(folder), key=lambda entry: entry.name):
        yield context.store.sha256(entry.name)
