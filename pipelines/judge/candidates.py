"""What may be asked about two releases: photos of the shop, with where they lie, what they show and who asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import StageError
from pipelines.judge.task import Shown
from pipelines.releases.measures import read_measures
from pipelines.releases.release import Release
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, UnitTable, parquet
from pipelines.store.opening import read_format
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS

TEST: Final = "test"
PHOTOS: Final = ["item_id", "image_uri", "role", "position", "split", "digest", "code", "image_unit", "image_row"]
OF_ITEM: Final = ["item_id", "title", "category", "signals"]


@dataclass(frozen=True)
class Photo:
    """A prepared photo of an item: what it shows, and how many queries it stands for.

    `place` is the unit and the row of its prepared photo in the run that it was read from; `in_gallery` whether it is
    of a role that is searched.
    """

    shown: Shown
    in_gallery: bool
    is_test: bool
    position: int
    place: tuple[str, int]
    weight: float = 1.0


@dataclass(frozen=True)
class Photos:
    """The active photos of a release's run, and the table that holds them prepared."""

    photos: tuple[Photo, ...]
    images: UnitTable

    def of_digests(self, digests: Iterable[str]) -> list[Photo]:
        """Return the first photo of each digest (hex) that is there."""
        wanted, found = {*digests}, dict[str, Photo]()
        for photo in self.photos:
            if photo.shown.digest in wanted:
                found.setdefault(photo.shown.digest, photo)
        return list(found.values())

    def prepared(self, photos: Sequence[Photo]) -> list[bytes]:
        """Return the prepared JPEGs of photos."""
        return [
            self.images.read_rows(unit, [row], ["image"])["image"][0].as_py()
            for unit, row in (photo.place for photo in photos)
        ]


def read_photos(store: Store, release: Release, roles: Sequence[str], demand: str | None) -> Photos:
    """Return the photos of a release's run, those of `roles` in the gallery, in the order of items and positions.

    A photo weighs what the signal `demand` says of its item, 1 if none is named. Raises StageError of a run that is
    gone.
    """
    manifest = read_manifest(store, release.run_id, "preprocess")
    if manifest is None:
        raise StageError(
            f"the run {release.run_id!r} that made release {release.release_id} is gone, and its photos with it; "
            "judge a release that is kept, or make one by a new run"
        )
    outputs, found = PreprocessOutputs.of_json(manifest["outputs"]), list[Photo]()
    for bucket in range(read_format(store).buckets):
        photos = read_bucket(store, outputs.photos, bucket, RESOLVED_PHOTOS, PHOTOS)
        photos = photos.filter(pc.and_(pc.equal(photos["code"], ""), pc.is_valid(photos["image_unit"])))
        found += _of_bucket(photos, _items(store, release, bucket), frozenset(roles), demand)
    found.sort(key=lambda photo: (photo.shown.item_id, photo.position, photo.shown.digest))
    return Photos(tuple(found), UnitTable(store, f"images/{outputs.prep_id}"))


def _items(store: Store, release: Release, bucket: int) -> pa.Table:
    return read_bucket(store, f"catalogue/{release.catalogue_id}/items", bucket, ITEMS, OF_ITEM)


def _of_bucket(photos: pa.Table, items: pa.Table, roles: frozenset[str], demand: str | None) -> list[Photo]:
    where = index_of(photos["item_id"], items["item_id"])
    photos, rows = photos.filter(pa.array(where >= 0)), where[where >= 0]
    about = items.take(pa.array(rows)).to_pylist()
    return [
        Photo(
            Shown(
                photo["item_id"],
                photo["digest"].hex(),
                photo["image_uri"] or "",
                item["title"] or "",
                tuple(item["category"] or ()),
            ),
            photo["role"] in roles,
            photo["split"] == TEST,
            photo["position"] or 0,
            (photo["image_unit"], photo["image_row"]),
            1.0 if demand is None else max(0.0, dict(item["signals"] or ()).get(demand) or 0.0),
        )
        for photo, item in zip(photos.to_pylist(), about, strict=True)
    ]


def held_out(store: Store, releases: Sequence[Release], photos: Photos) -> list[Photo]:
    """Return the photos by which either release was measured, those of the test split alone where there are any.

    Raises StageError when neither kept them.
    """
    weights: dict[str, float] = {}
    for release in releases:
        measures = read_measures(store, release.measured_for) or read_measures(store, release.release_id)
        if measures is not None and measures.queries is not None:
            table = parquet.decoded(measures.queries, ["digest", "weight"])
            weights |= {row["digest"].hex(): row["weight"] for row in table.to_pylist()}
    if not weights:
        raise StageError("neither release has kept the queries it was measured by; draw others: --from gallery")
    found = photos.of_digests(weights)
    tested = [photo for photo in found if photo.is_test]
    return [replace(photo, weight=photo.weight * weights[photo.shown.digest]) for photo in tested or found]


def of_gallery(photos: Photos) -> list[Photo]:
    """Return the first photo of each item of the gallery."""
    found: dict[str, Photo] = {}
    for photo in photos.photos:
        if photo.in_gallery:
            found.setdefault(photo.shown.item_id, photo)
    return list(found.values())
