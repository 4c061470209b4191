"""From unique photos and the items that show them to rows: writing the tables.

Owns the order of rows (by leaf category, then digest, so that a category is one stretch of every file) and what is
dropped. Everything is plain arrays and Arrow files: nothing here can run code when it is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tables.arrays import Array, Ints

DIGEST_BYTES = 32
REQUIRED = ("digest", "item_id", "category", "slot", "image_uri")
KEPT = ("item_id", "image_uri")
ALSO_KEPT = ("title", "price", "currency", "availability")
LINKS, ITEM_IDS, CATEGORIES = "links.arrow", "item_ids.arrow", "categories.arrow"
LINK_CATEGORIES = "link_categories.npy"
DIGESTS, OFFSETS = "digests.npy", "link_offsets.npy"
LINK_ITEMS, LINK_GROUPS, LINK_SLOTS = "link_items.npy", "link_groups.npy", "link_slots.npy"
ACTIVE, VOTES = "active.npy", "votes.npy"
ITEM_LINKS, ITEM_OFFSETS = "item_links.npy", "item_offsets.npy"

UNKNOWN = -1
NEUTRAL_SIGNAL = 0.5


@dataclass(frozen=True)
class RowTables:
    """Hold the links between rows and items, sorted by row, then item, position and image_uri.

    `source` int64 `[rows]`: where the caller keeps each row's vector. `link_rows`, `link_slots` `[links]`.
    """

    source: Ints
    link_rows: Ints
    link_slots: Ints
    num_items: int
    dropped: dict[str, int]


def write_rows(
    folder: Path, digests: Array, items: pa.Table, attributes: Sequence[str] = (), signals: Sequence[str] = ()
) -> tuple[RowTables, dict[str, Any]]:
    """Number the rows and write their tables into the existing `folder`.

    `digests` uint8 `[n, 32]`, unique, one a stored vector. `items`: one line an item and photo, with the columns digest
    (binary of 32), item_id, category (list of names), slot (leaf category, -1 or null unknown) and image_uri, and where
    there are some group_id, title, price, currency and availability (as the shop says), position, active, votes
    (whether it may vote for a query's category), attributes (map to string) and signals (map to number). Photos that no
    item shows and items' photos without a vector are dropped and counted. Returns the tables and the vocabulary for the
    manifest.
    """
    links, dropped = _joined(digests, items)
    source, links = _numbered(digests, links)
    row, slot = _column(links, "row"), _column(links, "slot")
    num_rows = len(source)
    np.save(folder / DIGESTS, digests[source])
    np.save(folder / OFFSETS, np.searchsorted(row, np.arange(num_rows + 1)).astype(np.int64))
    np.save(folder / LINK_SLOTS, slot)
    np.save(folder / ACTIVE, _column(links, "active"))
    np.save(folder / VOTES, _column(links, "votes"))
    num_items = _write_items(folder, links)
    _write_table(folder / LINKS, links.select([*KEPT, *(name for name in ALSO_KEPT if name in links.column_names)]))
    _write_categories(folder, links["category"].combine_chunks())
    vocabulary = _write_features(folder, links, attributes, signals)
    return RowTables(source, row, slot, num_items, dropped), vocabulary


def _joined(digests: Array, items: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    for name in REQUIRED:
        if name not in items.column_names:
            raise ValueError(f"the items table has no column {name!r} but {items.column_names}: add it")
    if digests.dtype != np.uint8 or digests.ndim != 2 or digests.shape[1] != DIGEST_BYTES:
        raise ValueError(f"digests are {digests.dtype} {digests.shape}, expected uint8 [n, {DIGEST_BYTES}]")
    keys = pa.array(_fixed(digests), pa.binary(DIGEST_BYTES))
    if pc.count_distinct(keys).as_py() != len(keys):
        raise ValueError("a digest has two vectors: keep one vector a photo, the newest model's")
    links = items.combine_chunks()
    position = pc.index_in(links["digest"].cast(pa.binary(DIGEST_BYTES)), keys)
    links = _completed(links).append_column("vector", position.cast(pa.int64()))
    kept = links.filter(pc.is_valid(position))
    if not len(kept):
        raise ValueError(f"none of {len(items)} photos of items has one of {len(keys)} vectors: embed them first")
    shown = pc.count_distinct(kept["vector"]).as_py()
    return kept, {"photos_without_vector": len(items) - len(kept), "vectors_without_item": len(keys) - shown}


def _completed(links: pa.Table) -> pa.Table:
    own = pc.binary_join_element_wise("item", links["item_id"], ":")
    group = own
    if "group_id" in links.column_names:
        named = pc.binary_join_element_wise("group", links["group_id"], ":")
        group = pc.if_else(pc.fill_null(pc.not_equal(links["group_id"], ""), False), named, own)
    position = (
        links["position"].cast(pa.int64()) if "position" in links.column_names else pa.nulls(len(links), pa.int64())
    )
    flags = {
        name: pc.fill_null(links[name] if name in links.column_names else pa.nulls(len(links), pa.bool_()), True)
        for name in ("active", "votes")
    }
    slot = pc.fill_null(links["slot"].cast(pa.int64()), UNKNOWN)
    columns = {
        "group": group,
        "position": pc.fill_null(position, 0),
        "slot": slot,
        **flags,
    }
    rest = links.drop_columns([name for name in columns if name in links.column_names])
    for name, values in columns.items():
        rest = rest.append_column(name, values)
    return rest


def _numbered(digests: Array, links: pa.Table) -> tuple[Ints, pa.Table]:
    by_vector = links.sort_by([(name, "ascending") for name in ("vector", "item_id", "position", "image_uri")])
    vectors, first = np.unique(_column(by_vector, "vector"), return_index=True)
    slots = _column(by_vector, "slot")[first]
    words = np.ascontiguousarray(digests[vectors]).view(">u8")
    order = np.lexsort((*words.T[::-1], slots))
    row_of_vector = np.empty(len(vectors), np.int64)
    row_of_vector[order] = np.arange(len(vectors))
    row = row_of_vector[np.searchsorted(vectors, _column(by_vector, "vector"))]
    numbered = by_vector.append_column("row", pa.array(row))
    # by_vector is in the order wanted within a row, and numpy's stable sort keeps it.
    return vectors[order], numbered.take(pa.array(np.argsort(row, kind="stable"))).combine_chunks()


def _write_items(folder: Path, links: pa.Table) -> int:
    ids = pc.unique(links["item_id"].combine_chunks()).sort()
    codes = np.asarray(pc.index_in(links["item_id"], ids)).astype(np.int64)
    groups = np.asarray(pc.dictionary_encode(links["group"].combine_chunks()).indices)
    photos = pa.table(
        {"item": codes, "position": links["position"], "uri": links["image_uri"], "link": np.arange(len(links))}
    )
    by_item = _column(photos.sort_by([(name, "ascending") for name in ("item", "position", "uri", "link")]), "link")
    np.save(folder / LINK_ITEMS, codes)
    np.save(folder / LINK_GROUPS, groups.astype(np.int64))
    np.save(folder / ITEM_LINKS, by_item)
    np.save(folder / ITEM_OFFSETS, np.searchsorted(codes[by_item], np.arange(len(ids) + 1)).astype(np.int64))
    _write_table(folder / ITEM_IDS, pa.table({"item_id": ids}))
    return len(ids)


def _write_categories(folder: Path, paths: pa.Array) -> None:
    paths = paths.cast(pa.list_(pa.string()))
    # A control character: no name of a category holds it, and it only tells paths apart.
    joined = pc.fill_null(pc.binary_join(paths, "\x1f"), "")
    codes = np.asarray(pc.dictionary_encode(joined).indices)
    first = np.unique(codes, return_index=True)[1]
    np.save(folder / LINK_CATEGORIES, codes.astype(np.int32))
    _write_table(folder / CATEGORIES, pa.table({"path": paths.take(pa.array(first))}))


def _write_features(folder: Path, links: pa.Table, attributes: Sequence[str], signals: Sequence[str]) -> dict[str, Any]:
    vocabulary: dict[str, list[str]] = {}
    for number, name in enumerate(attributes):
        found = _looked_up(links, "attributes", name)
        values = pc.unique(found.drop_null()).sort()
        codes = pc.fill_null(pc.index_in(found, values), UNKNOWN)
        np.save(folder / f"attribute_{number}.npy", np.asarray(codes).astype(np.int32))
        vocabulary[name] = values.to_pylist()
    for number, name in enumerate(signals):
        found = np.asarray(_looked_up(links, "signals", name).cast(pa.float64())).astype(np.float64)
        np.save(folder / f"signal_{number}.npy", percent_ranks(found))
    return {"attributes": vocabulary, "signals": list(signals)}


def _looked_up(links: pa.Table, column: str, name: str) -> pa.Array:
    if column not in links.column_names:
        raise ValueError(f"{name!r} is wanted but the items table has no column {column!r}: add it, or drop {name!r}")
    return pc.map_lookup(links[column].combine_chunks(), name, "first")


def percent_ranks(values: Array) -> Array:
    """Return for each of `values` the share of the others below it, ties in the middle; 0.5 where it is NaN."""
    ranks = np.full(len(values), NEUTRAL_SIGNAL, np.float32)
    known = np.flatnonzero(~np.isnan(values))
    if len(known) > 1:
        _, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - counts + (counts - 1) / 2
        ranks[known] = (middle / (len(known) - 1))[inverse]
    return ranks


def _column(table: pa.Table, name: str) -> Any:
    return table[name].to_numpy()


def _fixed(digests: Array) -> list[bytes]:
    return [row.tobytes() for row in digests]


def _write_table(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
