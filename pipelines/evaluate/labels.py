"""What is known of the items that a search finds: category, attributes, a picture; and which of them are relevant."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate.gallery import PATH_SEPARATOR, fold_of
from pipelines.evaluate.queries import Query
from pipelines.evaluate.sources import Sources, write_table
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.tables.arrow import first_of_each, flat, from_ipc, index_of
from pipelines.tables.buckets import partition, read_bucket
from pipelines.tables.schemas import DIGEST

LABELS = pa.schema(
    [
        ("item_id", pa.string()),
        ("fold", pa.string()),
        ("path", pa.string()),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("title", pa.string()),
        ("digest", DIGEST),
        ("image_unit", pa.string()),
        ("image_row", pa.int32()),
    ]
)
ITEM_IDS = pa.schema([("item_id", pa.string())])
WANTED = "wanted_items"
FEW, MOST_LEAVES = 20, 2000
"""How many results of a leaf stand for all of it, and of how many leaves."""


@dataclass(frozen=True)
class Label:
    """One item: what a result of it stands for (`fold`), its category path, attributes, title and first photo."""

    fold: str
    path: tuple[str, ...]
    attributes: Mapping[str, str]
    title: str
    image: tuple[str, int]


def look_up(jobs: Jobs, sources: Sources, item_ids: Iterable[str]) -> dict[str, Label]:
    """Return the labels of items by id. What is asked for reaches the workers through the store, a table a bucket."""
    wanted = pa.table([pa.array(sorted(set(item_ids)), pa.string())], schema=ITEM_IDS)
    parts = dict(partition(wanted, "item_id", sources.buckets))
    for bucket in range(sources.buckets):
        asked = from_ipc([parts[bucket]] if bucket in parts else [], ITEM_IDS)
        sources.put_table(f"{WANTED}/{bucket:05d}", asked)

    def build(pipeline: beam.Pipeline) -> None:
        labels = (
            pipeline | "Buckets" >> CreateEach(range(sources.buckets)) | "Label" >> beam.Map(partial(_label, sources))
        )
        write_table(sources, "labels", LABELS, labels)

    jobs.run("look-up", build)
    return as_labels(sources.table("labels"))


def labels_of(photos: pa.Table, roles: Iterable[str], unit: str) -> pa.Table:
    """Return one row an item of a gallery role, as `LABELS`, from its first photo."""
    kept = photos.filter(pc.is_in(photos["role"], value_set=pa.array(sorted(roles), pa.string())))
    kept = first_of_each(
        kept, "item_id", [("item_id", "ascending"), ("position", "ascending"), ("image_uri", "ascending")]
    )
    columns = {name: kept[name] for name in LABELS.names if name in kept.column_names}
    columns["fold"] = pa.chunked_array([fold_of(kept["item_id"], kept["group_id"], unit)]) if kept.num_rows else None
    columns["path"] = pa.array([PATH_SEPARATOR.join(path or ()) for path in kept["category"].to_pylist()], pa.string())
    if not kept.num_rows:
        return LABELS.empty_table()
    return pa.table([flat(columns[field.name]).cast(field.type) for field in LABELS], schema=LABELS)


def few_of_each(tables: Iterable[pa.Table]) -> pa.Table:
    """Return up to `FEW` results of each of `MOST_LEAVES` leaves, as `LABELS`, drawn by hashes of their names.

    Parts sampled apart and merged are what the whole would give.
    """
    merged = pa.concat_tables([LABELS.empty_table(), *tables]).combine_chunks()
    merged = merged.filter(pc.not_equal(merged["path"], ""))
    leaves = sorted(set(merged["path"].to_pylist()), key=drawn_by)[:MOST_LEAVES]
    merged = merged.filter(pc.is_in(merged["path"], value_set=pa.array(leaves, pa.string())))
    ranks = pa.array([drawn_by(fold) for fold in merged["fold"].to_pylist()], pa.binary(32))
    merged = first_of_each(
        merged.append_column("rank", ranks),
        "fold",
        [("path", "ascending"), ("rank", "ascending"), ("item_id", "ascending")],
    )
    paths = merged["path"].to_pylist()
    kept, seen = np.zeros(len(paths), bool), Counter[str]()
    for place, path in enumerate(paths):
        kept[place] = seen[path] < FEW
        seen[path] += 1
    return merged.filter(pa.array(kept)).select(LABELS.names)


def as_labels(table: pa.Table) -> dict[str, Label]:
    """Return the labels by item id; equal strings are kept once."""
    paths: dict[str, tuple[str, ...]] = {}
    found = {}
    for row in table.to_pylist():
        path = paths.setdefault(row["path"], tuple(row["path"].split(PATH_SEPARATOR)) if row["path"] else ())
        attributes = {
            sys.intern(name): sys.intern(value) for name, value in row["attributes"] or () if value is not None
        }
        image = (sys.intern(row["image_unit"] or ""), -1 if row["image_row"] is None else row["image_row"])
        found[row["item_id"]] = Label(row["fold"], path, attributes, row["title"] or "", image)
    return found


def same_path(query: Query, label: Label | None, depth: int | None = None) -> bool:
    """Tell whether a result shares the query's category: its leaf, or its first `depth` parts."""
    if label is None or not query.path:
        return False
    if depth is None:
        return label.path == query.path
    return len(query.path) >= depth and label.path[:depth] == query.path[:depth]


def relevant(query: Query, found: Sequence[str], labels: Mapping[str, Label], depth: int | None = None) -> list[bool]:
    """Return which results share the query's category, and are not among those that curators call not alike."""
    return [item_id not in query.apart and same_path(query, labels.get(item_id), depth) for item_id in found]


def relevant_with(query: Query, found: Sequence[str], labels: Mapping[str, Label], attribute: str) -> list[bool]:
    """Return which results are relevant and have the query's value of an attribute."""
    wanted = query.attributes.get(attribute)
    return [
        right and labels[item_id].attributes.get(attribute) == wanted
        for item_id, right in zip(found, relevant(query, found, labels), strict=True)
    ]


def gains(query: Query, found: Sequence[str], labels: Mapping[str, Label]) -> list[float]:
    """Return how much of the query's category path every result shares, from the top, between 0 and 1."""
    return [
        _shared(query.path, labels[item_id].path) if item_id in labels and item_id not in query.apart else 0.0
        for item_id in found
    ]


def _shared(path: Sequence[str], other: Sequence[str]) -> float:
    depth = 0
    for mine, theirs in zip(path, other, strict=False):
        if mine != theirs:
            break
        depth += 1
    return depth / len(path) if path else 0.0


def _label(sources: Sources, bucket: int) -> pa.Table:
    asked = read_bucket(sources.store, f"{sources.prefix}/{WANTED}", bucket, ITEM_IDS)["item_id"]
    if not len(asked):
        return LABELS.empty_table()
    photos = sources.active(bucket)
    photos = photos.filter(pa.array(index_of(photos["item_id"], asked) >= 0))
    return labels_of(photos, sources.gallery_roles, sources.unit)


def drawn_by(name: str) -> bytes:
    """Return what a few of many names are drawn by, the same ones every day."""
    return hashlib.sha256(b"few:" + name.encode()).digest()
