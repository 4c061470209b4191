"""What each photo is to teach: the labels of all its items, brought together by its digest. Pure joins, without Beam.

A photo is one example, however many items show it. What its items disagree on is not learned from it, and a photo of
the test split is never learned from, though an item of another split shows it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.store import Store
from pipelines.tables.arrow import first_of_each, flat, index_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import DIGEST, ITEMS, RESOLVED_PHOTOS
from pipelines.tables.taxonomy import leaf_value

LEAF_DISAGREES: Final = "leaf_disagrees"
IN_TEST_SPLIT: Final = "in_test_split"
CODES: Final = {
    LEAF_DISAGREES: "the items that show the photo are of several leaf categories",
    IN_TEST_SPLIT: "an item of the test split shows the photo too",
}
"""Why a photo teaches nothing."""
UNIT_SEPARATOR: Final = "\x1f"
"""Between the parts of a path while it is a key; it is in no name, unlike what people put between them."""
HELD_BACK: Final = ("train", "val", "test")
"""Of a photo's splits the last one counts: what one item holds out, another one must not teach."""
NAMES: Final = ("digest", "item_id", "role", "split", "image_unit", "image_row", "leaf", "category")


def labelled(attributes: Sequence[str]) -> pa.Schema:
    """Return the columns of a photo of an item with its labels; null is a label that the item does not have."""
    return pa.schema(
        [
            ("digest", DIGEST),
            ("item_id", pa.string()),
            ("role", pa.string()),
            ("position", pa.int32()),
            ("split", pa.string()),
            ("image_unit", pa.string()),
            ("image_row", pa.int32()),
            ("category", pa.list_(pa.string())),
            *((name, pa.string()) for name in label_columns(attributes)),
        ]
    )


def label_columns(attributes: Sequence[str]) -> list[str]:
    """Return the columns that hold labels: `leaf`, and one an attribute."""
    return ["leaf", *map(attribute_column, attributes)]


def attribute_column(name: str) -> str:
    """Return the column of an attribute."""
    return f"attr_{name}"


def read_labels(store: Store, photos: str, catalogue: str, bucket: int, attributes: Sequence[str]) -> pa.Table:
    """Return a bucket's prepared photos with the labels of their items, a row an item and photo, of all splits."""
    schema = labelled(attributes)
    own = [name for name in schema.names if name in RESOLVED_PHOTOS.names]
    rows = read_bucket(store, photos, bucket, RESOLVED_PHOTOS, [*own, "code"]).filter(pc.field("code") == "")
    items = read_bucket(store, f"{catalogue}/items", bucket, ITEMS, ["item_id", "category", "attributes"])
    labels = item_labels(items, attributes).append_column("category", items["category"])
    found = labels.take(pa.array(index_of(rows["item_id"], items["item_id"])))
    return pa.table([(rows if name in own else found)[name] for name in schema.names], schema=schema)


def item_labels(items: pa.Table, attributes: Sequence[str]) -> pa.Table:
    """Return the `label_columns` of items; a leaf is the full path, as one string."""
    maps = flat(items["attributes"])
    found = {attribute_column(name): pc.map_lookup(maps, pa.scalar(name), "first") for name in attributes}
    columns = {"leaf": _leaves(flat(items["category"]))} | found
    return pa.table({name: _or_null(values) for name, values in columns.items()})


def _leaves(categories: pa.Array) -> pa.Array:
    """Return the value of each whole path, made once a distinct one; "" or null of none."""
    coded = pc.binary_join(categories, UNIT_SEPARATOR).dictionary_encode()
    paths = [joined.split(UNIT_SEPARATOR) if joined else [] for joined in coded.dictionary.to_pylist()]
    values = pa.array([leaf_value(path) for path in paths], pa.string())
    return values.take(coded.indices)


def _or_null(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def one_a_photo(rows: pa.Table, seen: pa.Table | None) -> pa.Table:
    """Return one row a photo of the train and val splits: NAMES, the attributes, `code`, `detail` and `new`.

    `code` says why a photo teaches nothing, or is ""; `new` photos are not among the digests of `seen`, if there are
    such. Role and item are those of the first item, in the order of ids.
    """
    splits = pa.array(HELD_BACK)
    rows = rows.append_column("rank", pc.index_in(rows["split"], value_set=splits))
    first = first_of_each(rows, "digest", [("leaf", "ascending"), ("item_id", "ascending"), ("position", "ascending")])
    said = _said(rows, first["digest"])
    columns = {name: first[name] for name in NAMES} | {"split": splits.take(flat(said["rank_max"]))}
    for name in rows.schema.names:
        if name.startswith(attribute_column("")):
            columns[name] = _agreed(said, name)
    known = index_of(first["digest"], seen["digest"]) >= 0 if seen is not None else np.ones(len(first), bool)
    columns |= {"code": _codes(said), "detail": _details(first, said), "new": pa.array(~known)}
    return pa.table(columns).filter(pc.less(said["rank_min"], HELD_BACK.index("test")))


def _said(rows: pa.Table, digests: pa.ChunkedArray) -> pa.Table:
    """Return what the rows of each of these photos say: extremes and number of distinct values of each column."""
    labels = ["leaf", *(name for name in rows.schema.names if name.startswith(attribute_column("")))]
    wanted = [("rank", "min"), ("rank", "max"), ("leaf", "max"), *((name, "min") for name in labels)]
    distinct = [(name, "count_distinct", pc.CountOptions(mode="only_valid")) for name in labels]
    said = rows.group_by("digest").aggregate([*wanted, *distinct])
    return said.take(pa.array(index_of(digests, said["digest"])))


def _agreed(said: pa.Table, name: str) -> pa.ChunkedArray:
    one = pc.less_equal(said[f"{name}_count_distinct"], 1)
    return pc.if_else(one, said[f"{name}_min"], pa.scalar(None, pa.string()))


def _codes(said: pa.Table) -> pa.ChunkedArray:
    disagree = pc.if_else(pc.greater(said["leaf_count_distinct"], 1), LEAF_DISAGREES, "")
    return pc.if_else(pc.equal(said["rank_max"], HELD_BACK.index("test")), IN_TEST_SPLIT, disagree)


def _details(first: pa.Table, said: pa.Table) -> pa.ChunkedArray:
    """Return an example for people, of which the words are those of the item and of its photo's categories."""
    ends = pc.binary_join_element_wise(said["leaf_min"], said["leaf_max"], " / ", null_handling="replace")
    return pc.binary_join_element_wise(first["item_id"], ends, ": ", null_handling="replace")
