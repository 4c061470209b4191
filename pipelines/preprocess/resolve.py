"""What became of each photo: uri -> digest -> prepared image -> its item's group and split. Pure joins."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.changes import ALONE, newest_sources
from pipelines.preprocess.groups import own_label
from pipelines.preprocess.replaced import products_of
from pipelines.shop_files.web.identity import Identity
from pipelines.shop_files.web.memory import Memory
from pipelines.tables.arrow import first_of_each, flat, index_of
from pipelines.tables.schemas import DIGEST, PHOTOS, RESOLVED_PHOTOS
from pipelines.tables.taxonomy import leaf_value
from pipelines.tables.unit_keys import Tables
from pipelines.tables.variants import group_key, short_hash

WORKING = pa.schema(
    [
        *PHOTOS,
        ("group_key", pa.binary(8)),
        ("digest", DIGEST),
        ("code", pa.string()),
        ("said", pa.string()),  # by the host of a photo that it did not give
        ("products", pa.int32()),  # that have this photo
        ("done_now", pa.bool_()),
        ("image_unit", pa.string()),
        ("image_row", pa.int32()),
        ("phash", pa.binary(8)),
        ("label", pa.binary(8)),
        ("leaf", pa.binary(8)),
    ]
)


def with_labels(photos: pa.Table, items: pa.Table) -> pa.Table:
    """Return a bucket's photos as WORKING rows, with their items' own labels, group keys and leaf categories."""
    groups = items["group_id"].to_pylist()
    rows = zip(items["item_id"].to_pylist(), groups, items["title"].to_pylist(), strict=True)
    keys = {
        "label": pa.array([own_label(*row) for row in rows], pa.binary(8)),
        "group_key": pa.array([group_key(group) for group in groups], pa.binary(8)),
        "leaf": pa.array([short_hash(leaf_value(path)) for path in items["category"].to_pylist()], pa.binary(8)),
    }
    at = pa.array(index_of(photos["item_id"], items["item_id"]))
    columns = {name: photos[name] for name in PHOTOS.names}
    for name, values in keys.items():
        columns[name] = values.take(at) if len(photos) else pa.array([], pa.binary(8))
    return _filled(columns, len(photos))


@dataclass(frozen=True)
class ResolveSources:
    """Adds digest, reject code and `done_now` (fetched by a unit of this run's plan) to a bucket of uris."""

    unit_ids: frozenset[str]
    identity: Identity = ALONE

    def __call__(self, _: int, tables: Tables) -> pa.Table:
        """Return the WORKING rows; a photo without a source is `not_fetched`."""
        photos, sources = tables["photos"], newest_sources(tables["sources"], self.identity)
        at = _places(self.identity.column(photos["image_uri"]), sources["image_uri"])
        done = pc.is_in(sources["unit_id"], value_set=pa.array(sorted(self.unit_ids), pa.string()))
        new = {
            "digest": _take(sources["digest"], at),
            "code": _take(sources["code"], at).fill_null("not_fetched"),
            "said": _take(_said(sources["fingerprint"]), at),
            "done_now": _take(done, at).fill_null(False),
        }
        return _with(photos, new)


@dataclass(frozen=True)
class ResolveImages:
    """Adds the place of the prepared image to a bucket of digests."""

    unit_ids: frozenset[str]

    def __call__(self, _: int, tables: Tables) -> pa.Table:
        """Return the WORKING rows; a digest that was never prepared is `not_prepared`."""
        photos = tables["photos"]
        images = first_of_each(tables["images"], "digest", [("unit_id", "ascending")])
        at = _places(photos["digest"], images["digest"])
        done = pc.is_in(images["unit_id"], value_set=pa.array(sorted(self.unit_ids), pa.string()))
        new = {
            "code": _take(images["code"], at).fill_null("not_prepared"),
            "done_now": pc.or_(flat(photos["done_now"]), _take(done, at).fill_null(False)),
            "image_unit": _take(images["unit_id"], at),
            "image_row": _take(images["row"], at),
            "phash": _take(images["phash"], at),
            "products": products_of(photos),
        }
        return _with(photos, new)


def finish(photos: pa.Table, splits: pa.Table) -> pa.Table:
    """Return RESOLVED_PHOTOS sorted by item and position; a split from the feed stands before the group's."""
    at = _places(photos["item_id"], splits["item_id"])
    columns = {name: photos[name] for name in RESOLVED_PHOTOS.names if name != "group"}
    columns["split"] = pc.coalesce(flat(photos["split"]), _take(splits["split"], at))
    columns["group"] = _take(splits["group"], at)
    table = pa.table({name: columns[name] for name in RESOLVED_PHOTOS.names}).cast(RESOLVED_PHOTOS)
    return table.sort_by([("item_id", "ascending"), ("position", "ascending")])


def _places(needles: pa.ChunkedArray | pa.Array, haystack: pa.ChunkedArray) -> pa.Array:
    """Return where each needle first stands in the haystack, null where it does not."""
    at = index_of(needles, haystack)
    return pa.array(at, pa.int64(), mask=at < 0)


def _said(fingerprints: pa.ChunkedArray) -> pa.Array:
    """Return what hosts said instead of giving a photo, null of others."""
    return pa.array([Memory.of(one).said or None for one in fingerprints.to_pylist()], pa.string())


def _take(values: pa.ChunkedArray | pa.Array, at: pa.Array) -> pa.Array:
    return flat(values).take(at)


def _with(table: pa.Table, new: dict[str, pa.Array]) -> pa.Table:
    for name, values in new.items():
        table = table.set_column(table.schema.get_field_index(name), WORKING.field(name), values)
    return table


def _filled(columns: dict[str, pa.Array], rows: int) -> pa.Table:
    return pa.table(
        {f.name: columns[f.name] if f.name in columns else pa.nulls(rows, f.type) for f in WORKING}, WORKING
    )
