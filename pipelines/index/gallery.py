"""What goes into an index: the gallery's photos of the catalogue's items, and where their vectors are.

Owns the Beam join. It writes, below the stage's own folder, `links/` (an item's photo with all that results show, by
bucket of digest), `rows/` (each distinct photo's vector, by bucket of digest), `items/` (by bucket of item_id) and
`counts/`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import StageError
from pipelines.hidden.settled import settled, without
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.store import Store
from pipelines.tables.arrow import filled, first_of_each, flat, from_ipc, index_of, to_ipc
from pipelines.tables.buckets import partition, read_bucket, write_bucket
from pipelines.tables.schemas import DIGEST, INDEX_ITEMS, INDEX_LINKS, ITEMS, RESOLVED_PHOTOS, RESOLVED_VECTORS
from pipelines.tables.taxonomy import leaf_value
from pipelines.tables.variants import without_placeholders

HIDDEN = "hidden"
"""The code of photos of hidden items."""
ROWS = pa.schema([("digest", DIGEST), ("model_id", pa.string()), ("unit_id", pa.string()), ("row", pa.int32())])


@dataclass(frozen=True)
class Gathered:
    """Sums of a gathering; `checksum` names the photos with their models, and all that results show of the items.

    `catalogue` is how many items there are in all, `lost` one of those without a photo to be found by, if there is any.
    """

    links: int = 0
    rows: int = 0
    items: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    models: frozenset[str] = frozenset()
    checksum: str = ""
    catalogue: int = 0
    lost: str | None = None


@dataclass(frozen=True)
class Gatherer:
    """Gathers one run's gallery; small, for it travels to workers.

    `slots` gives a leaf's slot; `placeholders` are the keys of group_ids that make no variants; `hidden` names the
    object that lists the run's hidden items, which workers read: they may be too many to travel.
    """

    store: Store
    folder: str
    catalogue: str
    photos: str
    vectors: str
    roles: tuple[str, ...]
    slots: Mapping[str, int]
    buckets: int
    placeholders: frozenset[bytes] = frozenset()
    hidden: str = ""

    def links(self, bucket: int) -> Iterator[tuple[int, bytes]]:
        """Write a bucket's items and yield its links by bucket of digest, but for those of hidden items."""
        photos = read_bucket(self.store, self.photos, bucket, RESOLVED_PHOTOS)
        items = filled(read_bucket(self.store, f"{self.catalogue}/items", bucket, ITEMS), ITEMS)
        items = without_placeholders(items, self.placeholders)
        hidden = settled(self.store, self.hidden)
        joined = self.join_items(photos, items)
        links, shown, items = (without(table, hidden) for table in (*joined, items))
        if shown.num_rows:
            write_bucket(self.store, f"{self.folder}/items", bucket, shown)
        counts = {"items": shown.num_rows, "checksum": _checksum(shown), "catalogue": items.num_rows}
        counts |= {"lost": _first_lost(items["item_id"], shown["item_id"])}
        counts["rejects"] = {HIDDEN: joined[0].num_rows - links.num_rows}
        self._count("items", bucket, counts)
        yield from partition(links, "digest", self.buckets)

    def join_items(self, photos: pa.Table, items: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Return the gallery's INDEX_LINKS of a bucket, and INDEX_ITEMS with each item's first photo."""
        kept = photos.filter(pc.and_(pc.equal(photos["code"], ""), pc.is_in(photos["role"], pa.array(self.roles))))
        where = index_of(kept["item_id"], items["item_id"])
        kept = kept.filter(pa.array(where >= 0))
        of_item = items.take(pa.array(where[where >= 0]))
        columns = {name: kept[name] for name in ("digest", "item_id", "image_uri", "position")}
        columns |= {
            name: of_item[name] for name in INDEX_LINKS.names if name in of_item.column_names and name not in columns
        }
        paths, ids = of_item["category"].to_pylist(), kept["item_id"].to_pylist()
        columns["slot"] = pa.array([self._slot(*link) for link in zip(paths, ids, strict=True)], pa.int64())
        # What the test split is judged by must not come from it.
        columns["votes"] = pc.not_equal(pc.fill_null(kept["split"], ""), "test")
        links = pa.table([flat(columns[f.name]).cast(f.type) for f in INDEX_LINKS], schema=INDEX_LINKS)
        first = first_of_each(links, "item_id", [(n, "ascending") for n in ("item_id", "position", "image_uri")])
        where = index_of(items["item_id"], first["item_id"])
        shown = items.filter(pa.array(where >= 0)).append_column(
            "image_uri", first["image_uri"].combine_chunks().take(pa.array(where[where >= 0]))
        )
        return links, shown.select(INDEX_ITEMS.names).cast(INDEX_ITEMS).sort_by("item_id")

    def place(self, group: tuple[int, Iterable[bytes]]) -> None:
        """Write a bucket of links that have a vector, and where the vectors are."""
        bucket, parts = group
        given = from_ipc(sorted(parts), INDEX_LINKS)
        vectors = read_bucket(self.store, self.vectors, bucket, RESOLVED_VECTORS)
        links, rows, rejects = place_links(given, vectors)
        lost = _first_lost(given["item_id"], links["item_id"])
        if links.num_rows:
            write_bucket(self.store, f"{self.folder}/links", bucket, links)
            write_bucket(self.store, f"{self.folder}/rows", bucket, rows)
        counts = {"links": links.num_rows, "rows": rows.num_rows, "rejects": rejects}
        counts["models"] = sorted(set(rows["model_id"].to_pylist()))
        counts["lost"] = lost
        counts["checksum"] = _checksum(links) + _checksum(rows.select(["digest", "model_id"]))
        self._count("links", bucket, counts)

    def _slot(self, path: list[str], item_id: str) -> int:
        leaf = leaf_value(path)
        if leaf not in self.slots:
            raise StageError(
                f"category {leaf!r} of item {item_id!r} has no slot in the store's taxonomy, which the catalogue stage "
                "gives: start a new run with `visual-search run`"
            )
        return self.slots[leaf]

    def _count(self, what: str, bucket: int, counts: Mapping[str, Any]) -> None:
        self.store.put(f"{self.folder}/counts/{what}-{bucket:05d}.json", json.dumps(counts).encode())


def place_links(links: pa.Table, vectors: pa.Table) -> tuple[pa.Table, pa.Table, dict[str, int]]:
    """Return the links that have a vector, sorted; ROWS of their distinct photos; and the others' codes, counted."""
    where = index_of(links["digest"], vectors["digest"])
    if (where < 0).any():
        lost = links["digest"][int(np.flatnonzero(where < 0)[0])].as_py().hex()
        raise StageError(f"photo {lost} is missing in the embed stage's vectors; start a new run")
    codes = vectors["code"].combine_chunks().take(pa.array(where))
    rejects = Counter(code for code in codes.to_pylist() if code)
    good = pc.equal(codes, "")
    kept = links.filter(good).sort_by([(n, "ascending") for n in ("digest", "item_id", "position", "image_uri")])
    used = np.unique(where[np.asarray(good)])
    rows = vectors.take(pa.array(used)).select(ROWS.names).cast(ROWS).sort_by("digest")
    return kept, rows, dict(rejects)


def gather(gatherer: Gatherer, jobs: Jobs) -> Gathered:
    """Run the join and return its sums."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Buckets" >> CreateEach(range(gatherer.buckets))
            | "Links" >> beam.FlatMap(gatherer.links)
            | beam.GroupByKey()
            | "Place" >> beam.Map(gatherer.place)
        )

    jobs.run("gather", build)
    names = sorted(entry.name for entry in gatherer.store.list(f"{gatherer.folder}/counts"))
    counts = [gatherer.store.read_json(name) for name in names]
    checksum = hashlib.sha256("".join(count["checksum"] for count in counts).encode()).hexdigest()
    return Gathered(
        sum(count.get("links", 0) for count in counts),
        sum(count.get("rows", 0) for count in counts),
        sum(count.get("items", 0) for count in counts),
        sum((Counter(count["rejects"]) for count in counts), Counter[str]()),
        frozenset(model for count in counts for model in count.get("models", ())),
        checksum,
        sum(count.get("catalogue", 0) for count in counts),
        _lost(counts),
    )


def _first_lost(item_ids: pa.ChunkedArray, kept: pa.ChunkedArray) -> str | None:
    """Return the smallest of the items that are not among those kept."""
    return pc.min(item_ids.filter(pa.array(index_of(item_ids, kept) < 0))).as_py()


def _lost(counts: Iterable[Mapping[str, Any]]) -> str | None:
    """Return an item that has no prepared photo, or else one of which a photo has no vector."""
    found = [("catalogue" not in count, count["lost"]) for count in counts if count["lost"]]
    return min(found)[1] if found else None


def _checksum(table: pa.Table) -> str:
    return hashlib.sha256(to_ipc(table)).hexdigest() if table.num_rows else ""
