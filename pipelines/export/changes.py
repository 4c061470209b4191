"""What became of a release's photos since an earlier one, as a batch that updates an index of Vertex AI Vector Search.

Both releases are gone over bucket by bucket; of one bucket, an id and a checksum for each photo of the earlier release
are in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Set
from functools import partial
from typing import Any, Final

from pipelines.errors import StageError
from pipelines.export import vertex
from pipelines.export.destination import Destination
from pipelines.export.points import as_json, points_of
from pipelines.export.source import Source, parts_of
from trainer.files import in_bucket

CHECKSUM_BYTES: Final = 16


def check_comparable(before: Source, after: Source) -> None:
    """Raise StageError when the vectors of two releases cannot stand in one index."""
    if before.about.space_id != after.about.space_id:
        raise StageError(
            f"release {before.about.release_id} is of the vector space {before.about.space_id}, "
            f"{after.about.release_id} of {after.about.space_id}: all vectors are others, so write the whole release, "
            "without --since"
        )


def metadata(place: str) -> Mapping[str, Any]:
    """Return the metadata that an index is updated with."""
    found = {"contentsDeltaUri": f"{place}/{vertex.FOLDER}"} if in_bucket(place) else {}
    return {**found, "isCompleteOverwrite": False}


def write_bucket(
    before: Source, after: Source, destination: Destination, bucket: int, shown_again: Set[str]
) -> tuple[int, int]:
    """Write the photos of a bucket that are new or told otherwise, and the ids of those gone; return how many.

    `before` has hidden items too: they go. Those that are `shown_again`, by id, the target may have lost meanwhile.
    """
    known = {name: checksum for name, checksum, _ in _records(before, bucket, frozenset())}
    changed = [line for name, told, line in _records(after, bucket, shown_again) if known.pop(name, None) != told]
    for number, part in enumerate(parts_of(len(changed), vertex.LOADER.rows_a_part)):
        lines = changed[part]
        destination.add(f"{vertex.FOLDER}/{bucket:05d}-{number:05d}.json", len(lines), partial(b"".join, lines))
    if known:
        text = "".join(f"{name}\n" for name in sorted(known)).encode()
        destination.add(f"{vertex.FOLDER}/delete/{bucket:05d}.txt", len(known), partial(bytes, text))
    return len(changed), len(known)


def _records(source: Source, bucket: int, shown_again: Set[str]) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the id, a checksum (none of items that are shown again) and the line of each photo of a bucket's items."""
    shown = source.shown(bucket)
    for part in parts_of(len(shown.rows), vertex.LOADER.rows_a_part):
        for point in points_of(source.points(shown, part)):
            record = vertex.record(point)
            line = as_json(record) + b"\n"
            digest = hashlib.blake2b(line, digest_size=CHECKSUM_BYTES).digest()
            yield record["id"], b"" if point.item_id in shown_again else digest, line
