"""Small pictures for a page: of a photo's path or of a catalogue's item, as data URIs.

A page costs the shop's hosts nothing: of a photo behind an address, as of one that is gone, the prepared one is shown.
"""

from __future__ import annotations

import io
from functools import cached_property, lru_cache

import pyarrow.compute as pc
from PIL import Image

from pipelines.config import Config
from pipelines.releases.release import Release
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.shop_files.fetch import Fetcher, FetchError
from pipelines.store import Store, UnitTable
from pipelines.store.opening import read_format
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import PHOTOS, RESOLVED_PHOTOS
from transforms.image import prepare
from transforms.photo import BadPhoto, Limits, PrepSpec
from transforms.thumbnail import data_uri, encoded

SIDE = 224
CACHED = 4096


def thumbnail(data: bytes, limits: Limits) -> str:
    """Return a picture of at most 224 x 224 pixels as a data URI, without the canvas around it. Raises BadPhoto."""
    prepared = prepare(data, PrepSpec(SIDE, SIDE), limits)
    scale = min(1.0, SIDE / prepared.width, SIDE / prepared.height)
    width, height = max(1, round(scale * prepared.width)), max(1, round(scale * prepared.height))
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    with Image.open(io.BytesIO(prepared.jpeg)) as canvas:
        return data_uri(encoded(canvas.crop((left, top, left + width, top + height))), "image/jpeg")


class Pictures:
    """The pictures of a release's catalogue and of query photos; "" for what cannot be read any more."""

    def __init__(self, config: Config, store: Store, release: Release) -> None:
        section = config.preprocess
        self._limits = section.limits
        self._catalogue = Fetcher.of_catalogue(config)
        self._queries = Fetcher.of_paths(section.max_bytes)
        self._store, self._release, self._roles = store, release, config.index.roles
        self.of_photo = lru_cache(CACHED)(self._of_photo)

    def of_query(self, path: str, prepared: bytes) -> str:
        """Return the picture of a query photo: the file's, or the prepared one's when the file is gone."""
        return self._fetched(self._queries, path) or thumbnail(prepared, self._limits)

    def of_item(self, item_id: str) -> str:
        """Return the picture of an item's first photo in the gallery."""
        bucket = bucket_of(item_id, self._buckets)
        table = read_bucket(self._store, f"catalogue/{self._release.catalogue_id}/photos", bucket, PHOTOS)
        own = [row for row in table.to_pylist() if row["item_id"] == item_id]
        own.sort(key=lambda row: (row["role"] not in self._roles, row["position"]))
        return self.of_photo(item_id, own[0]["image_uri"]) if own else ""

    def _of_photo(self, item_id: str, image_uri: str) -> str:
        """Return the picture of an item's photo: the original's if it is here, else the prepared one's."""
        here = "" if self._catalogue.address(image_uri) else self._fetched(self._catalogue, image_uri)
        return here or self._prepared(item_id, image_uri)

    def _prepared(self, item_id: str, image_uri: str) -> str:
        outputs = self._outputs
        if outputs is None:
            return ""
        bucket = bucket_of(item_id, self._buckets)
        names = ["item_id", "image_uri", "image_unit", "image_row"]
        table = read_bucket(self._store, outputs.photos, bucket, RESOLVED_PHOTOS, names)
        own = table.filter((pc.field("item_id") == item_id) & (pc.field("image_uri") == image_uri)).to_pylist()
        if not own or own[0]["image_unit"] is None:
            return ""
        images = UnitTable(self._store, f"images/{outputs.prep_id}")
        [jpeg] = images.read_rows(own[0]["image_unit"], [own[0]["image_row"]], ["image"])["image"].to_pylist()
        return thumbnail(jpeg, self._limits)

    @cached_property
    def _outputs(self) -> PreprocessOutputs | None:
        """What the release's run has prepared; None of an earlier version's, or of a run that is gone."""
        manifest = read_manifest(self._store, self._release.run_id, "preprocess")
        return None if manifest is None else PreprocessOutputs.of_json(manifest["outputs"])

    @cached_property
    def _buckets(self) -> int:
        return read_format(self._store).buckets

    def _fetched(self, fetcher: Fetcher, uri: str) -> str:
        try:
            return thumbnail(fetcher.fetch(uri), self._limits)
        except (FetchError, BadPhoto):
            return ""
