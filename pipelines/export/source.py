"""A release, opened for exporting: its items bucket by bucket, each with its photos and their vectors.

What goes out is what a search answers from: the vectors are read from the release's index, the items from its
catalogue. One bucket of items is in memory at a time, and the vectors of one part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from pipelines.curated import read_curated
from pipelines.errors import StageError
from pipelines.export.schemas import OUT_ITEMS, About, vectors_schema
from pipelines.hidden.settled import IDS, checksum, hidden_now, without
from pipelines.models.facts import read_facts
from pipelines.neighbours.folder import VECTORS
from pipelines.neighbours.manifest import IndexFolderError, file_sha256, read_manifest
from pipelines.neighbours.rows import Rows
from pipelines.releases.live import live_release, nothing_live
from pipelines.releases.release import Release, read_release
from pipelines.runs.manifest import read_manifest as read_stage_manifest
from pipelines.runs.outputs import PreprocessOutputs, StageOutputs
from pipelines.store import Log, NotFoundError, Store
from pipelines.store.opening import read_format
from pipelines.tables.apart import NOTHING_APART, Apart
from pipelines.tables.arrays import Array, Floats, Ints
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.variants import read_placeholders, without_placeholders

CARRIED: Final = ("group_id", "category", "title", "price", "attributes", "not_alike")
"""What a point of a vector database tells of its item, beside the columns of vectors."""


@dataclass(frozen=True)
class Shown:
    """The photos of a bucket's items that have a vector, the items in order, of each its first photo first.

    `items` OUT_ITEMS, all of the bucket's. By photo: `owner`, its item's place among them, `position` among that item's
    photos, `rows` of the index, `uris`.
    """

    items: pa.Table
    owner: Ints
    position: Ints
    rows: Ints
    uris: pa.Array


class Source:
    """One release, without hidden items. Raises StageError where there is nothing to export, or a part is damaged."""

    def __init__(self, store: Store, release: Release, hidden: pa.Table, apart: Apart) -> None:
        self.store, self.release = store, release
        self.buckets = read_format(store).buckets
        self._stack = ExitStack()
        folder = self._stack.enter_context(store.stage_in(f"indexes/{release.index_id}"))
        try:
            index = read_manifest(folder)
            _check_files(folder, index)
        except IndexFolderError as error:
            raise StageError(f"index {release.index_id} cannot be exported: {error}") from error
        self.vectors = np.load(folder / VECTORS, mmap_mode="r")
        self.rows = Rows(folder, index["vocabulary"])
        if not len(self.rows):
            raise StageError(
                f"release {release.release_id} holds no vectors, so there is nothing to export: see what `status` says"
            )
        placeholders = self.outputs(PreprocessOutputs).placeholders
        self._placeholders = read_placeholders(store, placeholders)
        self._hidden, self._is_dated = hidden, _is_dated(store, release)
        self._apart = apart
        said = checksum(hidden), apart.checksum
        self.about = _about(store, release, self.vectors.shape[1], tuple(self.rows.attributes), *said)

    @classmethod
    def open(cls, store: Store, release_id: str | None = None, *, whole: bool = False) -> Source:
        """Open a release, the live one if none is named; `whole` with hidden items too, and as if all were alike.

        Raises StageError when nothing is live.
        """
        release = read_release(store, release_id) if release_id else live_release(store)
        if release is None:
            raise StageError(nothing_live(store))
        if whole:
            return cls(store, release, IDS.empty_table(), NOTHING_APART)
        return cls(store, release, hidden_now(store), read_curated(store).apart)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def outputs[Outputs: StageOutputs](self, kind: type[Outputs]) -> Outputs:
        """Return what a stage of the run that made the release hands on. Raises StageError when that is gone."""
        manifest = read_stage_manifest(self.store, self.release.run_id, kind.stage)
        if manifest is None:
            raise StageError(
                f"run {self.release.run_id!r}, which made release {self.release.release_id}, is gone from the store "
                "(`gc` keeps those of promote.keep releases): export a release that is kept"
            )
        return kind.of_json(manifest["outputs"])

    def shown(self, bucket: int) -> Shown:
        """Return a bucket's items and which photos of them have vectors."""
        items = read_bucket(self.store, f"catalogue/{self.release.catalogue_id}/items", bucket, ITEMS)
        items = without(without_placeholders(items, self._placeholders), self._hidden).sort_by("item_id")
        numbers = self.rows.numbers(items["item_id"].combine_chunks())
        known = np.flatnonzero(numbers >= 0)
        links, counts = self.rows.links_of_items(numbers[known])
        owner, rows = np.repeat(known, counts), self.rows.link_row[links]
        first = _first_of_each(owner, rows)
        owner, rows, uris = owner[first], rows[first], self.rows.image_uris(links[first]).combine_chunks()
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        counts = np.diff(np.append(starts, len(owner)))
        position = np.arange(len(owner)) - np.repeat(starts, counts)
        if not self._is_dated:
            at = items.schema.get_field_index("updated_at")
            items = items.set_column(at, items.schema.field(at), pa.nulls(len(items), items.schema.field(at).type))
        others = [sorted(self._apart.partners.get(item_id, ())) for item_id in items["item_id"].to_pylist()]
        first = uris.take(pa.array(starts))
        return Shown(_completed(items, owner[starts], counts, first, others), owner, position, rows, uris)

    def shown_rows(self) -> Ints:
        """Return the rows of the index, in order, of which some item is not hidden."""
        live = self.rows.live_links(self._hidden["item_id"].to_pylist())
        return np.unique(self.rows.link_row[live])

    def points(self, shown: Shown, part: slice) -> pa.Table:
        """Return part of a bucket's photos: the columns of `vectors_schema`, and CARRIED of their items."""
        rows, owner = shown.rows[part], shown.owner[part]
        digests = [digest.tobytes().hex() for digest in np.asarray(self.rows.digests[rows])]
        values = [
            shown.items["item_id"].take(pa.array(owner)).combine_chunks(),
            pa.array(digests, pa.string()),
            shown.uris[part],
            pa.array(shown.position[part].astype(np.int32)),
            _lists(_normalised(self.vectors[rows]), vectors_schema(self.about.dim).field("embedding").type),
        ]
        table = pa.table(values, schema=vectors_schema(self.about.dim))
        of_items = shown.items.select(CARRIED).take(pa.array(owner))
        for name in CARRIED:
            table = table.append_column(name, of_items[name])
        return table


def parts_of(rows: int, at_most: int) -> Iterator[slice]:
    """Yield slices of at most so many rows that cover all."""
    for start in range(0, rows, at_most):
        yield slice(start, min(start + at_most, rows))


def _about(store: Store, release: Release, dim: int, attributes: tuple[str, ...], *said: str) -> About:
    facts = read_facts(store, release.model_id)
    names = (release.release_id, str(release.manifest.get("created_at", "")), release.model_id, release.space_id)
    return About(*names, release.index_id, release.catalogue_id, dim, facts.bits, attributes, *said)


def _is_dated(store: Store, release: Release) -> bool:
    """Tell whether the feed said when items were changed: else they have the time of its file; so do old catalogues."""
    try:
        entry = Log(store, "catalogue/log").entry(release.catalogue_number)
    except NotFoundError:
        return True
    return bool(entry.get("dated", True))


def _check_files(folder: Path, index: dict[str, Any]) -> None:
    """Compare the vectors and the tables beside them with their checksums: what is damaged does not go out."""
    for name, expected in index["files"].items():
        if "/" not in name and file_sha256(folder / name) != expected["sha256"]:
            raise IndexFolderError(f"{folder / name} is damaged: build the index again in a new run")


def _first_of_each(owner: Ints, rows: Ints) -> Ints:
    """Return, in order, where an item shows a photo first: some list the same one under several addresses."""
    if not len(rows):
        return np.zeros(0, np.int64)
    keys = owner.astype(np.int64) * (int(rows.max()) + 1) + rows
    return np.sort(np.unique(keys, return_index=True)[1])


def _completed(items: pa.Table, owners: Ints, counts: Ints, uris: pa.Array, others: list[list[str]]) -> pa.Table:
    """Return OUT_ITEMS: the items, the first photo and the number of photos of those that have any, and `others`."""
    photos = np.zeros(len(items), np.int32)
    photos[owners] = counts
    place = np.full(len(items), -1, np.int64)
    place[owners] = np.arange(len(owners))
    first = uris.take(pa.array(place, mask=place < 0))
    columns = [items[name].cast(ITEMS.field(name).type) for name in ITEMS.names]
    not_alike = pa.array(others, OUT_ITEMS.field("not_alike").type)
    return pa.table([*columns, first, pa.array(photos), not_alike], schema=OUT_ITEMS)


def _normalised(vectors: Array) -> Floats:
    """Return float32 `[n, dim]` of norm 1: they are kept as float16, whose rounding moves the norm by some 1e-4."""
    exact = np.asarray(vectors, np.float32)
    return exact / np.linalg.norm(exact, axis=1, keepdims=True)


def _lists(vectors: Floats, kind: pa.DataType) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors).reshape(-1)), type=kind)
