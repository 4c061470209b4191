"""Which photos are queries, and what is known of them; pure functions over Arrow tables.

Owns the sampling: by a salted hash of the photo, so that the same photo is a query today and tomorrow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tables.arrow import first_of_each, flat, index_of
from pipelines.tables.schemas import DIGEST
from pipelines.tables.taxonomy import SEPARATOR

SALT = b"query:"
TEST = "test"

CANDIDATES = pa.schema(
    [
        ("rank", pa.binary(32)),
        ("digest", DIGEST),
        ("item_id", pa.string()),
        ("role", pa.string()),
        ("image_uri", pa.string()),
        ("held_out", pa.bool_()),
        ("cross", pa.bool_()),
        ("title", pa.string()),
        ("category", pa.list_(pa.string())),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("image_unit", pa.string()),
        ("image_row", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Query:
    """One photo to search with; `cross` tells that the gallery holds no photos of its role."""

    digest: bytes
    item_id: str
    path: tuple[str, ...]
    attributes: dict[str, str]
    title: str
    role: str
    image_uri: str
    held_out: bool
    cross: bool
    image: tuple[str, int]

    @property
    def leaf(self) -> str:
        """The leaf category in words."""
        return SEPARATOR.join(self.path)


def active_photos(photos: pa.Table, items: pa.Table) -> pa.Table:
    """Return the prepared photos of items in the catalogue, with the item's group_id, title, category, attributes."""
    photos = photos.filter(pc.equal(photos["code"], ""))
    where = index_of(photos["item_id"], items["item_id"])
    photos, where = photos.filter(pa.array(where >= 0)), where[where >= 0]
    for name in ("group_id", "title", "category", "attributes"):
        photos = photos.append_column(name, items[name].combine_chunks().take(pa.array(where)))
    return photos


def candidates(
    photos: pa.Table, roles: Iterable[str], gallery_roles: Iterable[str], count: int, *, held_out: bool
) -> pa.Table:
    """Return up to `count` query candidates of active photos, lowest rank first, as `CANDIDATES`.

    `roles` empty means every role. `held_out` keeps photos of the test split alone.
    """
    wanted = set(roles)
    mask = np.ones(photos.num_rows, bool) if not wanted else np.isin(photos["role"].to_pylist(), sorted(wanted))
    test = np.asarray(pc.fill_null(pc.equal(photos["split"], TEST), False), dtype=bool)
    keep = photos.filter(pa.array(mask & test if held_out else mask))
    in_gallery = pc.is_in(keep["role"], value_set=pa.array(sorted(gallery_roles), pa.string()))
    rank = pa.array([hashlib.sha256(SALT + digest).digest() for digest in keep["digest"].to_pylist()], pa.binary(32))
    columns = {name: keep[name] for name in CANDIDATES.names if name in keep.column_names}
    columns |= {"rank": rank, "held_out": pc.equal(keep["split"], TEST), "cross": pc.invert(in_gallery)}
    table = pa.table([flat(columns[field.name]).cast(field.type) for field in CANDIDATES], schema=CANDIDATES)
    return lowest([table], count)


def lowest(tables: Iterable[pa.Table], count: int) -> pa.Table:
    """Return the `count` candidates of lowest rank over tables, one a photo (that of the smallest item id)."""
    merged = pa.concat_tables([CANDIDATES.empty_table(), *tables]).combine_chunks()
    if not merged.num_rows:
        return merged
    return first_of_each(merged, "rank", [("rank", "ascending"), ("item_id", "ascending")]).slice(0, count)


def as_queries(table: pa.Table) -> list[Query]:
    """Return the rows of `CANDIDATES` as queries, in order."""
    return [
        Query(
            row["digest"],
            row["item_id"],
            tuple(row["category"] or ()),
            dict(row["attributes"] or ()),
            row["title"] or "",
            row["role"] or "",
            row["image_uri"] or "",
            bool(row["held_out"]),
            bool(row["cross"]),
            (row["image_unit"] or "", -1 if row["image_row"] is None else int(row["image_row"])),
        )
        for row in table.to_pylist()
    ]
