"""What a model has seen: ids of items and digests of photos by bucket, and the labels it could learn, beside the model.

Copies, because the catalogue that a model was trained on may be collected long before the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.store import Store
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import bucket_name, read_bucket, write_bucket
from pipelines.tables.schemas import DIGEST, ITEMS, ORIGINS

ITEM_IDS = pa.schema([ITEMS.field("item_id")])
DIGESTS = pa.schema([("digest", DIGEST)])
CORRECTED = pa.schema([ITEMS.field(name) for name in ("item_id", "category", "attributes")])


def keep_seen(store: Store, catalogue_id: str, digests: str, model_folder: str, buckets: int) -> int:
    """Write `<model_folder>/items/<bucket>.parquet` (ids of a catalogue's items) and `…/photos/…` (a table of digests).

    And `…/corrected/…`: what the items were that the shop had corrected. Return how many items there are.
    """
    for bucket in range(buckets):
        write_bucket(store, f"{model_folder}/photos", bucket, read_bucket(store, digests, bucket, DIGESTS))
    return keep_items(store, catalogue_id, model_folder, buckets)


def keep_items(store: Store, catalogue_id: str, model_folder: str, buckets: int) -> int:
    """Write `<model_folder>/items/<bucket>.parquet`, ids of a catalogue's items; return how many they are."""
    count = 0
    for bucket in range(buckets):
        items = read_bucket(store, f"catalogue/{catalogue_id}/items", bucket, ITEM_IDS, ITEM_IDS.names)
        write_bucket(store, f"{model_folder}/items", bucket, items)
        corrected = corrected_items(store, f"catalogue/{catalogue_id}", bucket)
        if corrected.num_rows:
            write_bucket(store, f"{model_folder}/corrected", bucket, corrected)
        count += items.num_rows
    return count


def corrected_items(store: Store, catalogue: str, bucket: int) -> pa.Table:
    """Return a bucket's items that are shown otherwise than the feeds say, for the shop has corrected them."""
    origins = read_bucket(store, f"{catalogue}/origins", bucket, ORIGINS)
    if "is_corrected" not in origins.column_names:  # of an earlier version, which corrected nothing
        return CORRECTED.empty_table()
    ids = origins.filter(pc.fill_null(origins["is_corrected"], False))["item_id"]
    if not len(ids):
        return CORRECTED.empty_table()
    items = read_bucket(store, f"{catalogue}/items", bucket, ITEMS, CORRECTED.names)
    return items.filter(pa.array(index_of(items["item_id"], ids) >= 0)).cast(CORRECTED)


def seen_corrected(store: Store, model_folder: str, bucket: int) -> pa.Table:
    """Return what the items of a bucket were that had been corrected when a model was trained."""
    return read_bucket(store, f"{model_folder}/corrected", bucket, CORRECTED)


def keep_labels(store: Store, model_folder: str, labels: Mapping[str, Iterable[str]]) -> None:
    """Write `<model_folder>/labels.json`: the labels that could be learned when the model was trained."""
    store.create_json(f"{model_folder}/labels.json", {name: sorted(values) for name, values in labels.items()})


def seen_labels(store: Store, model_folder: str) -> dict[str, set[str]] | None:
    """Return the labels that could be learned when a model was trained; None when it keeps no list of them."""
    if not store.exists(f"{model_folder}/labels.json"):
        return None
    return {name: set(values) for name, values in store.read_json(f"{model_folder}/labels.json").items()}


def seen_items(store: Store, model_folder: str, bucket: int) -> pa.Table | None:
    """Return the ids of a bucket's items that a model has seen; None when it keeps no list of them."""
    return _kept(store, f"{model_folder}/items", bucket, ITEM_IDS)


def seen_photos(store: Store, model_folder: str, bucket: int) -> pa.Table | None:
    """Return the digests of a bucket's photos that a model has seen; None when it keeps no list of them."""
    return _kept(store, f"{model_folder}/photos", bucket, DIGESTS)


def _kept(store: Store, folder: str, bucket: int, schema: pa.Schema) -> pa.Table | None:
    if not store.exists(f"{folder}/{bucket_name(0)}"):
        return None
    return read_bucket(store, folder, bucket, schema, schema.names)
