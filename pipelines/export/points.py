"""A photo as vector databases keep it: an id, its vector, and what is told of its item. Pure functions."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa

from pipelines.tables.arrays import Floats
from pipelines.tables.taxonomy import category_value

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "visual-search:item-and-photo")


@dataclass(frozen=True)
class Point:
    """One photo of one item: `vector` float32 `[dim]`, and `payload`, in which what the item lacks is left out."""

    item_id: str
    photo: str
    vector: Floats
    payload: Mapping[str, Any]

    @property
    def uuid(self) -> str:
        """Its id where ids must be UUIDs: always the same one of this photo of this item."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.item_id}\n{self.photo}"))


def points_of(table: pa.Table) -> Iterator[Point]:
    """Yield the points of a table of `Source.points`."""
    dim = table.schema.field("embedding").type.list_size
    vectors = table["embedding"].combine_chunks().flatten().to_numpy().reshape(-1, dim)
    for row, vector in zip(table.drop_columns(["embedding"]).to_pylist(), vectors, strict=True):
        yield Point(row["item_id"], row["photo"], vector, payload_of(row))


def payload_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a photo and its item.

    `category` lists the item's path at every depth ("Shoes", "Shoes > Boots"), so that a filter on any of them finds
    the item.
    """
    path, price = row["category"] or [], row["price"]
    told = {
        **{name: row[name] for name in ("item_id", "group_id", "photo", "image_uri", "position", "title")},
        "price": price if price is not None and math.isfinite(price) else None,
        "category": [category_value(path, level) for level in range(len(path))],
        "attributes": dict(row["attributes"] or ()),
        "not_alike": row["not_alike"],
    }
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}


def as_json(value: Any) -> bytes:
    """Return JSON; vectors are written with as many digits as tell one float32 from the next."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
