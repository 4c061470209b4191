"""The prepared photos of a release's catalogue by their digests: for thumbnails, and to warm up with.

Sixteen bytes a photo are in memory: the digest's first eight, and where the photo lies. What is read is compared with
the whole digest.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from pipelines.releases.release import Release
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, UnitTable
from pipelines.store.opening import read_format
from pipelines.tables.arrays import Array, Ints
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import RESOLVED_PHOTOS
from transforms.photo import PrepSpec
from transforms.thumbnail import encoded

COLUMNS = ["digest", "image_unit", "image_row"]
IMAGE = ["digest", "image", "width", "height"]


@dataclass(frozen=True)
class Prepared:
    """One prepared photo: its JPEG, and the original's size in pixels, as shown."""

    jpeg: bytes
    width: int
    height: int


class PreparedPhotos:
    """Finds prepared photos by digest. Safe to share between threads."""

    def __init__(self, images: UnitTable, spec: PrepSpec, units: list[str], keys: Array, places: Ints) -> None:
        """Take `keys` uint64 `[photos]`, sorted, and `places` int32 `[photos, 2]`: a position in `units`, and a row."""
        self._images, self.spec, self._units, self._keys, self._places = images, spec, units, keys, places

    @classmethod
    def open(cls, store: Store, release: Release) -> PreparedPhotos | None:
        """Read where a release's photos lie, bucket by bucket; None where its run did not leave that behind."""
        manifest = read_manifest(store, release.run_id, "preprocess") if release.run_id else None
        if manifest is None:
            return None
        outputs = PreprocessOutputs.of_json(manifest["outputs"])
        numbers: dict[str, int] = {}
        parts = [_placed(table, numbers) for table in _tables(store, outputs.photos)]
        keys = np.concatenate([keys for keys, _ in parts])
        places = np.concatenate([places for _, places in parts])
        keys, first = np.unique(keys, return_index=True)  # photos that share eight bytes of 32 are one: 1 in 4e7 of 1e6
        images = UnitTable(store, f"images/{outputs.prep_id}")
        return cls(images, PrepSpec.from_prep_id(outputs.prep_id), list(numbers), keys, places[first])

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, digest: bytes) -> Prepared | None:
        """Return the prepared photo of a digest of 32 bytes, or None. Raises StoreError where it cannot be read."""
        key = np.frombuffer(digest[:8], ">u8")[0]
        at = int(np.searchsorted(self._keys, key))
        if at == len(self._keys) or self._keys[at] != key:
            return None
        unit, row = self._places[at]
        found = self._images.read_rows(self._units[unit], [int(row)], IMAGE).to_pylist()[0]
        if found["digest"] != digest:
            return None
        return Prepared(found["image"], found["width"], found["height"])

    def near(self, digests: list[bytes]) -> list[tuple[bytes, bytes]]:
        """Return (digest, JPEG) of those of some photos that lie in the unit of the first that is here: one read."""
        keys = np.array([np.frombuffer(digest[:8], ">u8")[0] for digest in digests], np.uint64)
        at = np.minimum(np.searchsorted(self._keys, keys), max(0, len(self._keys) - 1))
        here = np.flatnonzero(self._keys[at] == keys) if len(self._keys) else np.zeros(0, np.int64)
        if not len(here):
            return []
        places = self._places[at[here]]
        rows = sorted({int(row) for unit, row in places if unit == places[0, 0]})
        table = self._images.read_rows(self._units[places[0, 0]], rows, ["digest", "image"])
        wanted = {*digests}
        return [(row["digest"], row["image"]) for row in table.to_pylist() if row["digest"] in wanted]


def thumbnail(photo: Prepared, spec: PrepSpec) -> bytes:
    """Return a prepared photo as a small JPEG, without the canvas around it."""
    scale = min(spec.width / photo.width, spec.height / photo.height, 1.0)
    width, height = max(1, round(scale * photo.width)), max(1, round(scale * photo.height))
    left, top = (spec.width - width) // 2, (spec.height - height) // 2
    with Image.open(io.BytesIO(photo.jpeg)) as canvas:
        return encoded(canvas.crop((left, top, left + width, top + height)))


def _tables(store: Store, folder: str) -> Iterator[pa.Table]:
    for bucket in range(read_format(store).buckets):
        table = read_bucket(store, folder, bucket, RESOLVED_PHOTOS, COLUMNS)
        yield table.filter(pc.is_valid(table["image_unit"]))


def _placed(table: pa.Table, numbers: dict[str, int]) -> tuple[Array, Ints]:
    """Return the keys and places of a table's photos; units get the next `numbers` as they are met."""
    digests = table["digest"].combine_chunks()
    whole = np.frombuffer(digests.buffers()[1] or b"", np.uint8).reshape(-1, 32)[digests.offset :][: len(digests)]
    units = table["image_unit"].combine_chunks().dictionary_encode()
    known = np.array([numbers.setdefault(unit, len(numbers)) for unit in units.dictionary.to_pylist()], np.int32)
    rows = table["image_row"].to_numpy().astype(np.int32)
    places = np.stack([known[units.indices.to_numpy()], rows], axis=1)
    return np.ascontiguousarray(whole[:, :8]).view(">u8")[:, 0].astype(np.uint64), places
