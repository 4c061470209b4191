"""The columns of the tables that stages write for one another."""

from __future__ import annotations

import pyarrow as pa

DIGEST = pa.binary(32)


ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("group_id", pa.string()),
        ("category", pa.list_(pa.string())),
        ("title", pa.string()),
        ("price", pa.float64()),
        ("currency", pa.string()),
        ("availability", pa.string()),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("signals", pa.map_(pa.string(), pa.float64())),
        ("updated_at", pa.timestamp("us", "UTC")),
    ]
)


PHOTOS = pa.schema(
    [
        ("item_id", pa.string()),
        ("image_uri", pa.string()),
        ("role", pa.string()),
        ("position", pa.int32()),
        ("split", pa.string()),
        ("box", pa.list_(pa.float64())),
    ]
)


DELETES = pa.schema([("item_id", pa.string()), ("deleted_at", pa.timestamp("us", "UTC")), ("feed", pa.string())])


ORIGINS = pa.schema(
    [
        ("item_id", pa.string()),
        ("feed", pa.string()),
        ("own_photos", pa.int32()),
        ("said_category", pa.list_(pa.string())),
        ("said_attributes", pa.map_(pa.string(), pa.string())),
        ("is_corrected", pa.bool_()),
    ]
)


REJECTS = pa.schema(
    [
        ("source", pa.string()),
        ("item_id", pa.string()),
        ("image_uri", pa.string()),
        ("code", pa.string()),
        ("detail", pa.string()),
    ]
)


SOURCE_KEYS = pa.schema(
    [
        ("image_uri", pa.string()),
        ("fingerprint", pa.string()),
        ("fetched_at", pa.timestamp("us", "UTC")),
        ("digest", DIGEST),
        ("code", pa.string()),
        ("row", pa.int32()),
    ]
)


IMAGE_KEYS = pa.schema([("digest", DIGEST), ("code", pa.string()), ("row", pa.int32()), ("phash", pa.binary(8))])


IMAGE_DATA = pa.schema(
    [("digest", DIGEST), ("image", pa.binary()), ("width", pa.int32()), ("height", pa.int32()), ("phash", pa.binary(8))]
)


ORIGINAL_KEYS = pa.schema([("digest", DIGEST), ("code", pa.string()), ("row", pa.int32())])


ORIGINAL_DATA = pa.schema([("digest", DIGEST), ("original", pa.binary())])


SPLIT_KEYS = pa.schema(
    [
        ("item_id", pa.string()),
        ("group", pa.binary(8)),
        ("split", pa.string()),
        ("code", pa.string()),
        ("row", pa.int32()),
    ]
)


RESOLVED_PHOTOS = pa.schema(
    [
        *PHOTOS,
        ("digest", DIGEST),
        ("code", pa.string()),
        ("image_unit", pa.string()),
        ("image_row", pa.int32()),
        ("phash", pa.binary(8)),
        ("group", pa.binary(8)),
    ]
)


VECTOR_KEYS = pa.schema([("digest", DIGEST), ("view", pa.string()), ("code", pa.string()), ("row", pa.int32())])


RESOLVED_VECTORS = pa.schema(
    [
        ("digest", DIGEST),
        ("view", pa.string()),
        ("model_id", pa.string()),
        ("unit_id", pa.string()),
        ("row", pa.int32()),
        ("code", pa.string()),
    ]
)


INDEX_LINKS = pa.schema(
    [
        ("digest", DIGEST),
        ("item_id", pa.string()),
        ("image_uri", pa.string()),
        ("position", pa.int32()),
        ("category", pa.list_(pa.string())),
        ("slot", pa.int64()),
        ("votes", pa.bool_()),
        ("group_id", pa.string()),
        ("title", pa.string()),
        ("price", pa.float64()),
        ("currency", pa.string()),
        ("availability", pa.string()),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("signals", pa.map_(pa.string(), pa.float64())),
    ]
)
"""A photo of an item of the gallery, with all that results show of it."""


SIMILAR = pa.schema(
    [("item_id", pa.string()), ("rank", pa.int32()), ("similar_item_id", pa.string()), ("score", pa.float32())]
)
"""The table of similar items of an index: rank 1 is the most similar."""

INDEX_ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("group_id", pa.string()),
        ("category", pa.list_(pa.string())),
        ("title", pa.string()),
        ("price", pa.float64()),
        ("currency", pa.string()),
        ("availability", pa.string()),
        ("image_uri", pa.string()),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("signals", pa.map_(pa.string(), pa.float64())),
    ]
)
