"""What should be found: the gallery, made from the catalogue, the photos and the vectors, never from the index.

Owns the gallery's tables and the counts of what is relevant; pure functions on one bucket.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate.queries import TEST
from pipelines.tables.arrow import flat, index_of
from pipelines.tables.schemas import DIGEST

Keys = npt.NDArray[np.uint64]

LINKS = pa.schema([("digest", DIGEST), ("item_id", pa.string()), ("fold", pa.string()), ("test", pa.bool_())])
GALLERY = pa.schema(
    [
        *LINKS,
        ("model_id", pa.string()),
        ("unit_id", pa.string()),
        ("row", pa.int32()),
        ("number", pa.int64()),
    ]
)
FOLDS = pa.schema([("fold", pa.string()), ("path", pa.string()), ("test", pa.bool_())])

PATH_SEPARATOR = "\x1f"
NUMBER_BITS = 40
"""A gallery row's number is its bucket, then its place in it in this many bits."""


def links_of(photos: pa.Table, roles: Iterable[str], unit: str) -> pa.Table:
    """Return one row a gallery photo and item, as `LINKS`.

    `unit` is what a result stands for: "item", or "group" of variants. `fold` names it: equal folds give one result.
    """
    kept = photos.filter(pc.is_in(photos["role"], value_set=pa.array(sorted(roles), pa.string())))
    columns = [kept["digest"], kept["item_id"], fold_of(kept["item_id"], kept["group_id"], unit), _is_test(kept)]
    return pa.table([flat(column).cast(field.type) for column, field in zip(columns, LINKS, strict=True)], schema=LINKS)


def fold_of(item_ids: pa.ChunkedArray, group_ids: pa.ChunkedArray, unit: str) -> pa.Array:
    """Return what each item's result stands for: its group when there is one and `unit` is "group", else the item."""
    own = pc.binary_join_element_wise("item", item_ids, ":")
    if unit != "group":
        return own
    named = pc.binary_join_element_wise("group", group_ids, ":")
    return pc.if_else(pc.fill_null(pc.not_equal(group_ids, ""), False), named, own)


def folds_of(photos: pa.Table, links: pa.Table) -> pa.Table:
    """Return the distinct results of a bucket with their category paths, as `FOLDS`."""
    where = index_of(links["item_id"], photos["item_id"])
    paths = [PATH_SEPARATOR.join(path or ()) for path in photos["category"].take(pa.array(where)).to_pylist()]
    table = pa.table([flat(links["fold"]), pa.array(paths, pa.string()), flat(links["test"])], schema=FOLDS)
    return table.group_by(FOLDS.names).aggregate([]).select(FOLDS.names)


def count_relevant(folds: pa.Table) -> tuple[Counter[str], Counter[str]]:
    """Return how many distinct results each path has: in the whole gallery, and without the test split."""
    return _distinct(folds), _distinct(folds.filter(pc.invert(folds["test"])))


def placed(links: pa.Table, vectors: pa.Table, bucket: int) -> pa.Table:
    """Return the links that have a vector, with where it is and a number of their own, as `GALLERY`."""
    vectors = vectors.filter(pc.equal(vectors["code"], ""))
    links = links.group_by(["digest", "item_id", "fold"]).aggregate([("test", "max")]).rename_columns(LINKS.names)
    links = links.sort_by([("digest", "ascending"), ("item_id", "ascending")])
    where = index_of(links["digest"], vectors["digest"])
    links, where = links.filter(pa.array(where >= 0)), pa.array(where[where >= 0])
    columns = [flat(links[name]) for name in LINKS.names]
    columns += [vectors[name].combine_chunks().take(where) for name in ("model_id", "unit_id", "row")]
    columns += [pa.array((bucket << NUMBER_BITS) + np.arange(links.num_rows), pa.int64())]
    return pa.table(columns, schema=GALLERY)


def key_of(name: str | bytes) -> int:
    """Return 64 bits that stand for a name where arrays of names are too large."""
    raw = name.encode() if isinstance(name, str) else name
    return int.from_bytes(hashlib.sha256(raw).digest()[:8], "little")


def keys_of(names: pa.Array | pa.ChunkedArray) -> Keys:
    """Return `key_of` each name, uint64 `[len(names)]`."""
    return np.fromiter((key_of(name) for name in names.to_pylist()), np.uint64, len(names))


def _distinct(folds: pa.Table) -> Counter[str]:
    unique = folds.group_by(["fold", "path"]).aggregate([])
    counted = unique.group_by("path").aggregate([("fold", "count")])
    return Counter(dict(zip(counted["path"].to_pylist(), counted["fold_count"].to_pylist(), strict=True)))


def _is_test(photos: pa.Table) -> pa.Array:
    return flat(pc.fill_null(pc.equal(photos["split"], TEST), False))
