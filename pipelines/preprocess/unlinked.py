"""Notes on what links no items: what so many share that it says nothing of what belongs together, and why."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

import pyarrow.compute as pc

from pipelines.preprocess.groups import GROUP, LOOK, PHOTO, TITLE, own_label
from pipelines.preprocess.job import Job
from pipelines.preprocess.meanings import MOST_LEAVES
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS
from pipelines.tables.variants import group_key

WORDS: Final = {
    TITLE: ("title", "titles"),
    GROUP: ("group_id", "group_ids"),
    PHOTO: ("photo", "photos"),
    LOOK: ("look of a photo (its perceptual hash)", "looks of photos (their perceptual hashes)"),
}


def unlinked_notes(job: Job, most: int, placeholders: AbstractSet[bytes]) -> list[str]:
    """Return what linked no items of a resolved catalogue, an example each; a group may hold `most` items.

    `placeholders` are the keys of the group_ids among them that make no variants either.
    """
    kept = job.store.read_json(job.unlinked)
    notes = []
    for kind in WORDS:
        found = sorted(([items, key] for of, key, items, _ in kept["common"] if of == kind), reverse=True)
        if found:
            items, key = found[0]
            notes.append(_note(job, kind, len(found), items, key, most))
    if placeholders:
        notes.append(
            f"group_ids of items in more than {MOST_LEAVES} leaf categories make no variants in a search either: "
            f"{len(placeholders)}; if it is what a feed writes for none, add it to catalogue.no_value"
        )
    if kept["refused"]:
        notes.append(
            f"{kept['refused']} links between products were left out, which would have joined more than {most} "
            "items into one group (preprocess.max_group_share): such products may stand on two sides of the splits"
        )
    return notes


def _note(job: Job, kind: int, count: int, items: int, key: str, most: int) -> str:
    example = next(_examples(job, kind, bytes.fromhex(key)), "one that is no longer there")
    what, keep, are = (WORDS[kind][0], "keeps", "it is") if count == 1 else (WORDS[kind][1], "keep", "they are")
    return (
        f"{count} {what} that more than {most} items have (preprocess.max_group_share) {keep} none of them together in "
        f"a split, for {are} likely a placeholder; for example {example}: {items} items have it"
    )


def _examples(job: Job, kind: int, key: bytes) -> Iterator[str]:
    """Yield items that have a key; of common ones the first bucket or two hold one."""
    for bucket in range(job.buckets):
        yield from _titled(job, kind, key, bucket) if kind in {TITLE, GROUP} else _shown(job, kind, key, bucket)


def _titled(job: Job, kind: int, key: bytes, bucket: int) -> Iterator[str]:
    columns = ["item_id", "group_id", "title"]
    for row in read_bucket(job.store, f"{job.catalogue}/items", bucket, ITEMS, columns).to_pylist():
        group_id, title = row["group_id"] or "", row["title"] or ""
        has = group_key(group_id) if kind == GROUP else own_label(row["item_id"], group_id, title)
        if has == key:
            yield f"{(group_id if kind == GROUP else title)!r} of item {row['item_id']!r}"


def _shown(job: Job, kind: int, key: bytes, bucket: int) -> Iterator[str]:
    columns = ["item_id", "image_uri", "digest", "phash"]
    photos = read_bucket(job.store, job.photos, bucket, RESOLVED_PHOTOS, columns)
    for row in photos.filter(pc.is_valid(photos["phash"])).to_pylist():
        if (row["phash"] if kind == LOOK else row["digest"][: len(key)]) == key:
            yield f"{row['image_uri']} of item {row['item_id']!r}"
