"""What need not be measured again: a run for which nothing is new that numbers depend on which are there already.

These are the live release's, whether it passed its gates or a person accepted it, and those of a release that was
refused beside the same releases. They depend on the settings that measuring reads; on what the tables of photos and
vectors say (which photos there are, in which role, split and group, and where their pictures and vectors lie); on which
items are hidden, and which pairs are not alike; on the columns of the catalogue by which results are judged (`JUDGED`);
on the model, the slots of categories, and which of these are retired; and on the index that answers, by the bytes of
its files. Prices and dates are in none of these. Titles are where they name a group, for bounds are drawn by group; and
signals are, for ranking reads them from the index. An index whose build is not deterministic has other bytes each time,
so what it finds is measured each time it is built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from pipelines.curated import settled as curated
from pipelines.hidden.settled import checksum, settled
from pipelines.neighbours.manifest import FILE
from pipelines.releases.release import BrokenReleaseError, Release, read_release
from pipelines.releases.unchanged import digest_of
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs
from pipelines.runs.retired import retired_of
from pipelines.store import Store
from pipelines.tables.arrow import to_ipc
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.taxonomy import read_taxonomy
from pipelines.tables.variants import read_placeholders

JUDGED: Final = ["item_id", "group_id", "category", "attributes"]
"""What evaluate reads of the catalogue's items, but for titles, which only stand beside pictures."""


def measured_on(context: RunContext) -> str:
    """Return 16 hex digits of all that the numbers of the run's release depend on."""
    embed, index, gone = context.outputs(EmbedOutputs), context.outputs(IndexOutputs), retired_of(context)
    apart = curated.settled(context.store, context.outputs(CatalogueOutputs).curated).apart
    return digest_of(
        context,
        "evaluate",
        embed.model_id,
        read_taxonomy(context.store),
        [sorted(slots) for slots in (gone.leaves, *gone.levels)],
        sorted(key.hex() for key in read_placeholders(context.store, context.outputs(PreprocessOutputs).placeholders)),
        context.store.sha256(f"indexes/{index.index_id}/{FILE}"),
        checksum(settled(context.store, index.hidden)) + apart.checksum,
        list(_judged(context)),
        list(_tables(context, context.outputs(PreprocessOutputs).photos)),
        list(_tables(context, embed.vectors)),
    )


def known(context: RunContext, live: Release | None, key: str, beside: list[str]) -> Release | None:
    """Return the release whose numbers are those of the run: the live one, or a later one that was refused; else None.

    `beside` are the releases that the run's would be judged beside, from the live one on. One that was refused is kept
    from `gc`.
    """
    if live is not None and live.manifest.get("measured_on") == key:
        return live
    for release_id in sorted(context.store.folders("releases"), reverse=True):
        if live is not None and release_id <= live.release_id:
            break
        refused = _refused(context.store, release_id)
        if refused and refused.manifest.get("measured_on") == key and refused.manifest.get("judged_beside") == beside:
            context.pin("evaluate", f"releases/{release_id}")
            return _refused(context.store, release_id)
    return None


def _refused(store: Store, release_id: str) -> Release | None:
    try:
        release = read_release(store, release_id)
    except BrokenReleaseError:  # it is being written, or being removed
        return None
    return None if release.blessed else release


def _judged(context: RunContext) -> Iterator[str]:
    """Yield a digest of the columns that results are judged by, a bucket at a time."""
    folder = f"catalogue/{context.outputs(CatalogueOutputs).catalogue_id}/items"
    for bucket in range(context.buckets):
        items = read_bucket(context.store, folder, bucket, ITEMS, JUDGED)
        yield hashlib.sha256(to_ipc(items.sort_by("item_id"))).hexdigest()


def _tables(context: RunContext, folder: str) -> Iterator[str]:
    for entry in sorted(context.store.list(folder), key=lambda entry: entry.name):
        yield context.store.sha256(entry.name)
