"""What a release holds of its items, bucket by bucket: their leaves, what is similar to them, how their photos look.

Sixteen bytes an item and some thirty a photo are in memory, whatever the tables hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.hidden import Hidden
from pipelines.quality.findings import Path, Shown
from pipelines.releases.release import Release
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store
from pipelines.store.opening import read_format
from pipelines.tables.alike import Numbers, numbers
from pipelines.tables.arrays import Floats, Ints
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import INDEX_ITEMS, RESOLVED_PHOTOS, SIMILAR
from pipelines.tables.taxonomy import leaf_value, path_of
from pipelines.tables.variants import item_key

_PHOTO = ["item_id", "role", "code", "phash"]


class Similar(NamedTuple):
    """Rows of the table of similar items: numbers of items, ranks from 1, scores. All `[rows]`."""

    item: Ints
    other: Ints
    rank: Ints
    score: Floats


class Looks(NamedTuple):
    """How photos look, one row each: the item's number, the hash, and its bucket and row in the table of photos."""

    item: Ints
    look: Numbers
    bucket: Ints
    row: Ints


class Gallery:
    """The items of a release's index, numbered by a hash of their ids; hidden ones are left out."""

    def __init__(self, store: Store, release: Release, hidden: Hidden, roles: tuple[str, ...]) -> None:
        self._store, self._release, self._hidden, self._roles = store, release, hidden, roles
        self._index = f"indexes/{release.index_id}"
        self._buckets = read_format(store).buckets
        self.paths: list[Path] = []
        keys, leaves, codes = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], dict[str, int]()
        for bucket in range(self._buckets):
            items = self._items(bucket, ["item_id", "category"])
            values = [leaf_value(path or ()) for path in items["category"].to_pylist()]
            keys.append(_keys(items["item_id"]))
            leaves.append(np.array([codes.setdefault(value, len(codes)) for value in values], np.int64))
        self.paths = [path_of(value) for value in codes]
        every = np.concatenate(keys)
        order = np.argsort(every, kind="stable")
        self._keys, self.leaf = every[order], np.concatenate(leaves)[order]

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def has_similar(self) -> bool:
        """Whether there is a table of similar items at all."""
        return any(True for _ in self._store.list(f"{self._index}/similar"))

    def similar(self) -> Iterator[Similar]:
        """Yield the table of similar items, a bucket at a time; each item's rows stand together, by rank."""
        for bucket in range(self._buckets):
            table = read_bucket(self._store, f"{self._index}/similar", bucket, SIMILAR)
            item, other = (self._numbers(table[name]) for name in ("item_id", "similar_item_id"))
            known = (item >= 0) & (other >= 0)
            columns = (table[name].to_numpy()[known] for name in ("rank", "score"))
            yield Similar(item[known], other[known], *columns)

    def looks(self) -> Looks | None:
        """Return how the photos look that a search finds items by; None where the release's run is gone."""
        if not self._photos:
            return None
        none = np.zeros(0, np.int64)
        found = [Looks(none, np.zeros(0, np.uint64), none, none)]
        for bucket in range(self._buckets):
            table = read_bucket(self._store, self._photos, bucket, RESOLVED_PHOTOS, _PHOTO)
            is_good = pc.and_(pc.equal(table["code"], ""), pc.is_in(table["role"], value_set=pa.array(self._roles)))
            row = np.flatnonzero(pc.and_(is_good, pc.is_valid(table["phash"])).to_numpy(zero_copy_only=False))
            kept = table.take(pa.array(row))
            item = self._numbers(kept["item_id"])
            known = item >= 0
            look = numbers(kept["phash"])[known]
            found.append(Looks(item[known], look, np.full(int(known.sum()), bucket), row[known]))
        return Looks(*(np.concatenate([getattr(one, name) for one in found]) for name in Looks._fields))

    def item_ids(self, wanted: Ints) -> dict[int, str]:
        """Return the ids of some items by their numbers."""
        keys = {int(self._keys[number]): int(number) for number in wanted}
        found = dict[int, str]()
        for bucket in range(self._buckets if keys else 0):
            ids = self._items(bucket, ["item_id"])["item_id"]
            here = np.isin(_keys(ids), np.array(sorted(keys), np.uint64))
            for item_id in ids.filter(pa.array(here)).to_pylist():
                found[keys[int.from_bytes(item_key(item_id))]] = item_id
        return found

    def shown(self, item_ids: list[str]) -> dict[str, Shown]:
        """Return some items, each with its first photo."""
        by_bucket: dict[int, list[str]] = {}
        for item_id in item_ids:
            by_bucket.setdefault(bucket_of(item_id, self._buckets), []).append(item_id)
        found: dict[str, Shown] = {}
        for bucket, ids in by_bucket.items():
            names = ["item_id", "category", "title", "image_uri"]
            items = self._items(bucket, names)
            items = items.filter(pc.is_in(items["item_id"], value_set=pa.array(ids, pa.string())))
            digests = self._digests(bucket, items["item_id"])
            for row in items.to_pylist():
                digest = digests.get((row["item_id"], row["image_uri"]), "")
                path = tuple(row["category"] or ())
                found[row["item_id"]] = Shown(row["item_id"], path, row["title"] or "", row["image_uri"] or "", digest)
        return found

    def photos(self, places: list[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, str, str]]:
        """Return item id, address and digest (hex) of some rows of the table of photos, by bucket and row."""
        found: dict[tuple[int, int], tuple[str, str, str]] = {}
        for bucket in sorted({bucket for bucket, _ in places}):
            rows = [row for of, row in places if of == bucket]
            names = ["item_id", "image_uri", "digest"]
            table = read_bucket(self._store, self._photos, bucket, RESOLVED_PHOTOS, names).take(pa.array(rows))
            for row, told in zip(rows, table.to_pylist(), strict=True):
                found[bucket, row] = (told["item_id"], told["image_uri"], told["digest"].hex())
        return found

    def _items(self, bucket: int, columns: list[str]) -> pa.Table:
        items = read_bucket(self._store, f"{self._index}/items", bucket, INDEX_ITEMS, columns)
        hidden = pa.array(sorted(self._hidden.items), pa.string())
        return items.filter(pc.invert(pc.is_in(items["item_id"], value_set=hidden)))

    def _numbers(self, item_ids: pa.ChunkedArray) -> Ints:
        """Return the numbers of items, int64, -1 of those that are hidden."""
        keys = _keys(item_ids)
        if not len(self._keys):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, at, -1).astype(np.int64)

    def _digests(self, bucket: int, item_ids: pa.ChunkedArray) -> Mapping[tuple[str, str], str]:
        if not self._photos:
            return {}
        names = ["item_id", "image_uri", "digest"]
        table = read_bucket(self._store, self._photos, bucket, RESOLVED_PHOTOS, names)
        table = table.filter(pa.array(index_of(table["item_id"], item_ids) >= 0))
        return {(row["item_id"], row["image_uri"]): (row["digest"] or b"").hex() for row in table.to_pylist()}

    @cached_property
    def _photos(self) -> str:
        manifest = read_manifest(self._store, self._release.run_id, "preprocess") if self._release.run_id else None
        return PreprocessOutputs.of_json(manifest["outputs"]).photos if manifest else ""


def _keys(item_ids: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    return np.frombuffer(b"".join(map(item_key, item_ids.to_pylist())), ">u8").astype(np.uint64)
