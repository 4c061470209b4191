"""Vertex AI Vector Search: a batch of JSON lines in a folder of its own, and what an index over it is made of.

Source of the formats: "Input data format and structure" and "Index configuration parameters" of its documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from pipelines.export.loader import Loader
from pipelines.export.points import Point, as_json, points_of
from pipelines.export.schemas import About
from trainer.files import in_bucket

FOLDER: Final = "batch"
NEIGHBOURS: Final = 150
"""How many candidates a query looks at unless it says otherwise; the service's own example."""


def metadata_of(about: About, place: str) -> Mapping[str, Any]:
    """Return the metadata that an index is created with, or a whole one replaced by.

    The files are named where they are in a bucket; of a folder of this machine whoever copies them says where.
    """
    config = {
        "dimensions": about.dim,
        "approximateNeighborsCount": NEIGHBOURS,
        "distanceMeasureType": "DOT_PRODUCT_DISTANCE",
        "algorithmConfig": {"treeAhConfig": {}},
    }
    found = {"contentsDeltaUri": f"{place}/{FOLDER}"} if in_bucket(place) else {}
    return {"metadata.json": {**found, "isCompleteOverwrite": True, "config": config}}


def record(point: Point) -> dict[str, Any]:
    """Return the record of a photo; its id is `<item_id>:<photo>`, and few of an item crowd out others by its tag."""
    payload = point.payload
    words = {name: [payload[name]] for name in ("item_id", "group_id") if name in payload}
    words |= {name: payload.get(name, []) for name in ("category", "not_alike")}
    words |= {f"attributes.{name}": [value] for name, value in payload.get("attributes", {}).items()}
    numbers = [{"namespace": "price", "value_double": payload["price"]}] if "price" in payload else []
    return {
        "id": f"{point.item_id}:{point.photo}",
        "embedding": point.vector,
        "restricts": [{"namespace": name, "allow": values} for name, values in words.items() if values],
        "numeric_restricts": numbers,
        "crowding_tag": point.item_id,
    }


def encode(table: pa.Table) -> bytes:
    """Return one record a line."""
    return b"".join(as_json(record(point)) + b"\n" for point in points_of(table))


LOADER: Final = Loader("vertex", 1, FOLDER, ".json", 10_000, encode, metadata_of)
"""A batch may have 5,000 files: so many photos a file are enough for fifty million, and are 60 MB."""
