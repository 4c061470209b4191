"""What may be asked about two releases: photos of the shop, with where they lie, what they show and who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

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
from pipelines.tables.schemas import DIGEST, ITEMS, RESOLVED_PHOTOS

TEST: Final = "test"
PHOTOS: Final = ["item_id", "image_uri", "role", "position", "split", "digest", "code", "image_unit", "image_row"]
BATCH: Final = 10_000
"""Photos that are at hand at once."""
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
    place: tuple[str, int]
    weight: float = 1.0


Source = Callable[[], Iterable[Photo]]
"""Photos that are gone through as often as it is called, always in one order: a run has more than memory holds."""


@dataclass(frozen=True)
class Photos:
    """The active photos of a release's run, read as they are gone through, and the table that holds them prepared."""

    store: Store
    catalogue_id: str
    folder: str
    images: UnitTable
    roles: frozenset[str]
    demand: str | None

    @classmethod
    def of(cls, store: Store, release: Release, roles: Iterable[str], demand: str | None) -> Self:
        """Return the photos of a release's run, those of `roles` in the gallery.

        A photo weighs what the signal `demand` says of its item, 1 if none is named. Raises StageError of a run that
        is gone.
        """
        manifest = read_manifest(store, release.run_id, "preprocess")
        if manifest is None:
            raise StageError(
                f"the run {release.run_id!r} that made release {release.release_id} is gone, and its photos with it; "
                "judge a release that is kept, or make one by a new run"
            )
        outputs = PreprocessOutputs.of_json(manifest["outputs"])
        images = UnitTable(store, f"images/{outputs.prep_id}")
        return cls(store, str(release.catalogue_id), outputs.photos, images, frozenset(roles), demand)

    def __iter__(self) -> Iterator[Photo]:
        """Yield all photos: an item's together, in the order of positions."""
        yield from self._read(pc.scalar(True))

    def of_digests(self, digests: Collection[str]) -> dict[str, Photo]:
        """Return the first photo of each digest (hex) that is there."""
        if not digests:
            return {}
        wanted = pa.array([bytes.fromhex(digest) for digest in digests], DIGEST)
        found: dict[str, Photo] = {}
        for photo in self._read(pc.field("digest").isin(wanted)):
            found.setdefault(photo.shown.digest, photo)
        return found

    def prepared(self, photos: Sequence[Photo]) -> list[bytes]:
        """Return the prepared JPEGs of photos."""
        return [
            self.images.read_rows(unit, [row], ["image"])["image"][0].as_py()
            for unit, row in (photo.place for photo in photos)
        ]

    def _read(self, wanted: pc.Expression) -> Iterator[Photo]:
        active = (pc.field("code") == "") & pc.field("image_unit").is_valid() & wanted
        for bucket in range(read_format(self.store).buckets):
            photos = read_bucket(self.store, self.folder, bucket, RESOLVED_PHOTOS, PHOTOS).filter(active)
            if photos.num_rows:
                items = read_bucket(self.store, f"catalogue/{self.catalogue_id}/items", bucket, ITEMS, OF_ITEM)
                for batch in _joined(photos, items).to_batches(max_chunksize=BATCH):
                    yield from (self._photo(row) for row in batch.to_pylist())

    def _photo(self, row: Mapping[str, Any]) -> Photo:
        shown = Shown(
            row["item_id"],
            row["digest"].hex(),
            row["image_uri"] or "",
            row["title"] or "",
            tuple(row["category"] or ()),
        )
        weight = 1.0 if self.demand is None else max(0.0, dict(row["signals"] or ()).get(self.demand) or 0.0)
        place = (row["image_unit"], row["image_row"])
        return Photo(shown, row["role"] in self.roles, row["split"] == TEST, place, weight)


def _joined(photos: pa.Table, items: pa.Table) -> pa.Table:
    """Return the photos of items that are there, with what is said of them, in the order of items and positions."""
    where = index_of(photos["item_id"], items["item_id"])
    photos, about = photos.filter(pa.array(where >= 0)), items.take(pa.array(where[where >= 0]))
    for name in OF_ITEM[1:]:
        photos = photos.append_column(name, about[name])
    keys = photos.select(["item_id", "digest"]).append_column("position", pc.fill_null(photos["position"], 0))
    order = [(name, "ascending") for name in ("item_id", "position", "digest")]
    return photos.take(pc.sort_indices(keys, sort_keys=order))


def picked(source: Source, numbers: Collection[int]) -> dict[int, Photo]:
    """Return the photos of a source with these numbers, counted from 0."""
    wanted = frozenset(numbers)
    return {number: photo for number, photo in enumerate(source()) if number in wanted} if wanted else {}


def measured_by(store: Store, releases: Iterable[Release]) -> dict[str, float]:
    """Return the photos by which either release was measured: digest (hex) and weight.

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
    return weights


def held_out(photos: Mapping[str, Photo], weights: Mapping[str, float]) -> list[Photo]:
    """Return photos, by digest, as the queries that releases were measured by: of the test split alone if any is."""
    tested = [photo for photo in photos.values() if photo.is_test]
    return [replace(photo, weight=photo.weight * weights[photo.shown.digest]) for photo in tested or photos.values()]


def of_gallery(photos: Iterable[Photo]) -> Iterator[Photo]:
    """Yield the first photo of each item of the gallery."""
    last = ""
    for photo in photos:
        if photo.in_gallery and photo.shown.item_id != last:
            last = photo.shown.item_id
            yield photo
