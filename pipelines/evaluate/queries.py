"""Which photos are queries, and what is known of them; pure functions over Arrow tables.

Photos are drawn by a salted hash, so that the same photo is a query today and tomorrow; of each leaf category a few at
least. What is drawn more often for that weighs less, so that means are those of all photos that might have been drawn.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tables.apart import NOTHING_APART, Apart
from pipelines.tables.arrays import Array
from pipelines.tables.arrow import first_of_each, flat, index_of
from pipelines.tables.schemas import DIGEST
from pipelines.tables.taxonomy import leaf_value

SALT = b"query:"
TEST = "test"
LEAF_FLOOR = 10
"""Queries that a leaf category has at least, where it has photos enough and half of all queries are enough for that."""

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
        ("group", pa.binary(8)),
    ]
)


@dataclass(frozen=True)
class Query:
    """One photo to search with.

    `cross` tells that the gallery holds no photos of its role; `group` is what a split keeps together, the item itself
    where there is none; `weight` is how many photos it stands for, 1 on average; `apart` are items that curators call
    not alike its own, or the photo.
    """

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
    group: bytes = bytes(8)
    weight: float = 1.0
    apart: frozenset[str] = frozenset()

    @property
    def leaf(self) -> str:
        """The leaf category in words."""
        return leaf_value(self.path)


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
) -> tuple[pa.Table, Counter[str]]:
    """Return the query candidates of active photos, `narrowed`, as `CANDIDATES`, and how many each leaf had.

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
    return narrowed([table], count), Counter(_leaves(table))


def narrowed(tables: Iterable[pa.Table], count: int) -> pa.Table:
    """Return the candidates that may be drawn, lowest rank first, one a photo (that of the smallest item id).

    They are the `count` of lowest rank, and the lowest `LEAF_FLOOR` of each leaf unless there are too many leaves for
    that: at most 6 x `count`, whatever is merged.
    """
    merged = pa.concat_tables([CANDIDATES.empty_table(), *tables]).combine_chunks()
    if not merged.num_rows:
        return merged
    ranked = first_of_each(merged, "rank", [("rank", "ascending"), ("item_id", "ascending")])
    leaves = _leaves(ranked)
    floor = LEAF_FLOOR if len(set(leaves)) <= count // 2 else 0
    return ranked.filter(pa.array((np.arange(len(leaves)) < count) | (_places(leaves) < floor)))


def drawn(table: pa.Table, photos: Mapping[str, int], count: int) -> pa.Table:
    """Return `count` of the `narrowed` candidates with a column `weight`, given how many `photos` each leaf has.

    Each leaf has its lowest few (`LEAF_FLOOR`, fewer if they would be more than half of all); the rest are those of
    lowest rank. A leaf that has more than its share for that weighs as many photos as it has.
    """
    leaves = _leaves(table)
    places = _places(leaves)
    there = Counter(leaves)
    floor = max(f for f in range(LEAF_FLOOR + 1) if sum(min(f, n) for n in there.values()) <= max(0, count // 2))
    by_floor = places < floor
    others = np.flatnonzero(~by_floor)
    left = max(0, count - int(by_floor.sum()))
    last = len(leaves) if left >= len(others) else others[left - 1] + 1 if left else 0
    by_rank = np.arange(len(leaves)) < last
    chosen = np.flatnonzero(by_floor | by_rank)
    of_rank, of_all = (Counter(leaves[n] for n in np.flatnonzero(mask)) for mask in (by_rank, by_floor | by_rank))
    lifted = {leaf for leaf in of_all if of_all[leaf] > of_rank[leaf]}
    weights = _weights([leaves[n] for n in chosen], lifted, photos)
    return table.take(pa.array(chosen)).append_column("weight", pa.array(weights, pa.float64()))


def _weights(leaves: list[str], lifted: set[str], photos: Mapping[str, int]) -> Array:
    """Return float64 `[len(leaves)]`, 1 on average: of a `lifted` leaf, by its own photos; of the others, alike."""
    counts = Counter(leaves)
    others = [leaf for leaf in counts if leaf not in lifted]
    alike = sum(photos[leaf] for leaf in others) / max(1, sum(counts[leaf] for leaf in others))
    of_leaf = {leaf: photos[leaf] / counts[leaf] if leaf in lifted else alike for leaf in counts}
    weights = np.array([of_leaf[leaf] for leaf in leaves])
    return weights / weights.mean() if len(weights) else weights


def _leaves(table: pa.Table) -> list[str]:
    return ["\x1f".join(path or ()) for path in table["category"].to_pylist()]


def _places(leaves: list[str]) -> Array:
    """Return int64 `[len(leaves)]`: how many of its own leaf come before each."""
    seen: Counter[str] = Counter()
    places = np.zeros(len(leaves), np.int64)
    for number, leaf in enumerate(leaves):
        places[number] = seen[leaf]
        seen[leaf] += 1
    return places


def as_queries(table: pa.Table, apart: Apart = NOTHING_APART) -> list[Query]:
    """Return the rows of `drawn` as queries, in order."""
    of_photo: dict[str, set[str]] = defaultdict(set)
    for item_id, digest in apart.photos:
        of_photo[digest].add(item_id)
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
            row["group"] or hashlib.sha256(row["item_id"].encode()).digest()[:8],
            row["weight"],
            apart.partners.get(row["item_id"], frozenset()) | of_photo.get(row["digest"].hex(), set()),
        )
        for row in table.to_pylist()
    ]
