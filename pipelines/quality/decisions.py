"""What a curator says, checked by what the store holds: items that there are, their photos, categories."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Final

import pyarrow.compute as pc

from pipelines.curated.entries import BAD_PHOTO, CATEGORY, NOT_ALIKE, Decision
from pipelines.errors import StageError
from pipelines.releases.live import live_release
from pipelines.releases.release import BrokenReleaseError
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Log, Store
from pipelines.store.opening import read_format
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.item_ids import ids_of, unknown_to_catalogue
from pipelines.tables.schemas import PHOTOS, RESOLVED_PHOTOS
from pipelines.tables.spelling import fold_spelling
from pipelines.tables.taxonomy import leaf_value, read_taxonomy

MAX_DEPTH: Final = 10
NAMED: Final = 10
"""Of an item's photos, that an error names."""
HEX: Final = frozenset("0123456789abcdef")


def not_alike(store: Store, item_id: str, other: str = "", digest: str = "") -> Decision:
    """Return that an item is not alike another, or a photo (its sha256). Raises StageError."""
    if digest:
        [one] = known(store, item_id)
        return Decision(NOT_ALIKE, (one,), digest=sha256_of(digest))
    one, two = (*known(store, item_id), *known(store, other))
    if one == two:
        raise StageError(f"{one!r} is one item, and alike itself; name two")
    return Decision(NOT_ALIKE, (min(one, two), max(one, two)))


def category(store: Store, item_id: str, path: tuple[str, ...], *, new: bool = False) -> Decision:
    """Return that an item is of a category; one that the store does not know only if it is `new`. Raises StageError."""
    [one] = known(store, item_id)
    path = tuple(map(fold_spelling, path))
    if not path or not all(path):
        raise StageError(f'{leaf_value(path)!r} is no category: write its levels from the top, as "Shoes > Boots"')
    if len(path) > MAX_DEPTH:
        raise StageError(f"{leaf_value(path)!r} has {len(path)} levels, the limit is {MAX_DEPTH}")
    leaves, value = read_taxonomy(store)["leaves"], leaf_value(path)
    if value not in leaves and not new:
        near = difflib.get_close_matches(value, leaves, 3, 0.5)
        meant = f"; is it {' or '.join(map(repr, near))}?" if near else ""
        raise StageError(f"the shop has no category {value!r}{meant} Say --new if it is to get one")
    return Decision(CATEGORY, (one,), path)


def bad_photo(store: Store, item_id: str, photo: str = "") -> Decision:
    """Return that an item's photo is bad: the one of an address, or of a sha256; its only one, if none is named.

    Where the live release has prepared it, it is known by its sha256 from then on. Raises StageError.
    """
    [one] = known(store, item_id)
    photos = list(_photos(store, one))
    wanted = photo.lower() if _is_sha256(photo.lower()) else ""
    found = [
        each for each in photos if not photo or each["image_uri"] == photo or (each["digest"] or "") == wanted != ""
    ]
    if len({each["digest"] or each["image_uri"] for each in found}) == 1:
        return Decision(BAD_PHOTO, (one,), image_uri=found[0]["image_uri"], digest=found[0]["digest"] or "")
    what = f"no photo {photo!r}" if photo else f"{len(photos)} photos"
    named = ", ".join(each["image_uri"] for each in photos[:NAMED]) or "none"
    raise StageError(f"item {one!r} has {what}; name one of its addresses: {named}")


def bad_photo_everywhere(digest: str) -> Decision:
    """Return that a photo is bad, whatever items show it. Raises StageError."""
    return Decision(BAD_PHOTO, digest=sha256_of(digest))


def known(store: Store, item_id: str) -> list[str]:
    """Return an item's id as the newest catalogue has it. Raises StageError of one that it has not."""
    ids = ids_of([item_id])
    if unknown_to_catalogue(store, ids):
        raise StageError(f"item {ids[0]!r} is in no catalogue; check its id, or run the catalogue stage first")
    return ids


def sha256_of(text: str) -> str:
    """Return a photo's sha256. Raises StageError for what is none."""
    value = text.strip().lower()
    if not _is_sha256(value):
        raise StageError(f"{text!r} is no sha256: 64 hex digits, as `sha256sum` prints them")
    return value


def path_in(text: str) -> tuple[str, ...]:
    r"""Return the levels of a path as people type it, between `>`; `\>` is a level's own."""
    levels, escaped = [""], False
    for character in text:
        if not escaped and character == "\\":
            escaped = True
            continue
        if not escaped and character == ">":
            levels.append("")
        else:
            levels[-1] += character
        escaped = False
    return tuple(fold_spelling(level) for level in levels)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= HEX


def _photos(store: Store, item_id: str) -> Iterator[dict[str, Any]]:
    """Yield the photos that the newest catalogue has of an item, with the digests that the live release knows."""
    _, head = Log(store, "catalogue/log").head()
    bucket = bucket_of(item_id, read_format(store).buckets)
    folder = f"catalogue/{head['catalogue_id']}/photos"
    rows = _of_item(read_bucket(store, folder, bucket, PHOTOS, ["item_id", "image_uri", "position"]), item_id)
    digests = {row["image_uri"]: row["digest"] for row in _resolved(store, bucket, item_id)}
    for row in sorted(rows, key=lambda row: (row["position"], row["image_uri"])):
        digest = digests.get(row["image_uri"])
        yield {"image_uri": row["image_uri"], "digest": digest.hex() if digest else None}


def _resolved(store: Store, bucket: int, item_id: str) -> list[dict[str, Any]]:
    try:
        live = live_release(store)
    except BrokenReleaseError:
        return []
    manifest = read_manifest(store, live.run_id, "preprocess") if live and live.run_id else None
    if manifest is None:
        return []
    photos = PreprocessOutputs.of_json(manifest["outputs"]).photos
    names = ["item_id", "image_uri", "digest"]
    return _of_item(read_bucket(store, photos, bucket, RESOLVED_PHOTOS, names), item_id)


def _of_item(table: Any, item_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.filter(pc.field("item_id") == item_id).to_pylist()
    return rows
