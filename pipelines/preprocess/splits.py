"""Groups and splits in Beam: wires the pure functions of groups.py and tables/alike.py over buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.jobs.transforms import CreateEach, JoinByBucket
from pipelines.preprocess.apart import WITHHELD, of_pairs, withheld, without_withheld
from pipelines.preprocess.groups import (
    COMMON,
    COUNTED,
    GROUP,
    KEYED,
    LINKS,
    LOOK,
    PHOTO,
    SIZES,
    TITLE,
    assign_splits,
    common_keys,
    find_links,
    relabel,
    smallest_of_linked,
    without_common,
)
from pipelines.preprocess.settled import SETTLED, read_settled, settled_units
from pipelines.store import Store
from pipelines.tables import alike
from pipelines.tables.apart import NOTHING_APART, Apart
from pipelines.tables.arrow import first_of_each, from_ipc, index_of, to_ipc
from pipelines.tables.unit_keys import Tables
from pipelines.tables.variants import item_key

ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("label", pa.binary(8)),
        ("group_key", pa.binary(8)),
        ("item_key", pa.binary(8)),
        ("photo_key", pa.binary(8)),
        ("phash", pa.binary(8)),
        ("leaf", pa.binary(8)),
    ]
)
LABELLED = pa.schema([("item_id", pa.string()), ("label", pa.binary(8))])
GROUPED = pa.schema([("item_id", pa.string()), ("label", pa.binary(8)), ("known_split", pa.string())])
SPLITS = pa.schema([("item_id", pa.string()), ("group", pa.binary(8)), ("split", pa.string())])


@dataclass(frozen=True)
class Shares:
    """The shares of groups that are kept for validation and test, and how many items may have a group and a photo."""

    val: float
    test: float
    most: int
    most_of_photo: int | None = None


class ReadSettled(beam.PTransform):
    """Read the splits up to an entry of their log: one SETTLED table a unit."""

    def __init__(self, store: Store, number: int) -> None:
        super().__init__()
        self.store, self.number = store, number

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Read each entry on a worker, then each unit that it names."""
        entries = pipeline | CreateEach(range(1, self.number + 1))
        return entries | beam.FlatMap(self._units) | beam.Reshuffle() | beam.MapTuple(self._read)

    def _units(self, number: int) -> Iterator[tuple[int, str]]:
        yield from ((number, unit_id) for unit_id in settled_units(self.store, number))

    def _read(self, number: int, unit_id: str) -> pa.Table:
        return read_settled(self.store, number, unit_id)


def group_and_split(
    rows: beam.PCollection,
    known: beam.PCollection,
    buckets: int,
    shares: Shares,
    keep: Callable[[dict[str, Any]], Any],
    apart: Apart = NOTHING_APART,
) -> tuple[beam.PCollection, beam.PCollection]:
    """Return ((SPLITS of all items, SPLITS of the new ones)) a bucket of groups, and COMMON, one table of all.

    `rows` are tables with item_id, label, group_key, digest, phash and leaf, a row a photo, `known` the splits that are
    settled. Links what shares a key that is not common, names whole groups by their smallest label, then gives them
    their splits. Pairs that are `apart` are not linked by what both have. `keep` gets what was not linked: {"common":
    [[kind, key, items, leaves], …], "refused": links, "apart": [keys of items that are no variants, …]}.
    """
    items = rows | "Items" >> beam.Map(_items)
    items, kept_back = _apart(items, apart)
    counted = {"keys": items | "Counted" >> beam.Map(_counted)} | "CommonKeys" >> JoinByBucket(
        {"keys": "key"}, {"keys": COUNTED}, buckets, _Common(shares.most, shares.most_of_photo)
    )
    common = counted | "AllCommon" >> beam.CombineGlobally(_together)
    items = items | "WithoutCommon" >> beam.Map(_without_common, beam.pvalue.AsSingleton(common))
    joined = _join(items, buckets, shares.most)
    groups = joined | "Groups" >> beam.Map(lambda found: found[0])
    refused = joined | "Refused" >> beam.Map(lambda found: found[1])
    _ = refused | "KeepUnlinked" >> beam.Map(
        _unlinked, beam.pvalue.AsSingleton(common), beam.pvalue.AsSingleton(kept_back), keep
    )
    labelled = items | "Labelled" >> beam.Map(lambda table: table.select(LABELLED.names))
    grouped = {"items": labelled, "groups": groups} | "Relabel" >> JoinByBucket(
        {"items": "label", "groups": "label"}, {"items": LABELLED, "groups": LINKS}, buckets, _relabel
    )
    by_item = {"rows": grouped, "known": known} | "JoinKnown" >> JoinByBucket(
        {"rows": "item_id", "known": "item_id"}, {"rows": LABELLED, "known": SETTLED}, buckets, _one_an_item
    )
    splits = {"rows": by_item} | "AssignSplits" >> JoinByBucket(
        {"rows": "label"}, {"rows": GROUPED}, buckets, _Assign(shares)
    )
    return splits, common


def _apart(items: beam.PCollection, apart: Apart) -> tuple[beam.PCollection, beam.PCollection]:
    """Return the items without what pairs share, and that: one WITHHELD table."""
    if not apart:
        return items, items.pipeline | "NothingWithheld" >> beam.Create([WITHHELD.empty_table()])
    of_those = items | "OfPairs" >> beam.Map(of_pairs, apart)
    kept_back = of_those | "Withheld" >> beam.CombineGlobally(_Withheld(apart))
    return items | "WithoutWithheld" >> beam.Map(without_withheld, beam.pvalue.AsSingleton(kept_back)), kept_back


class _Withheld(beam.CombineFn):
    """Gathers the rows of pairs, few, and compares them at the end."""

    def __init__(self, apart: Apart) -> None:
        super().__init__()
        self._apart = apart

    def create_accumulator(self) -> list[pa.Table]:
        return []

    def add_input(self, found: list[pa.Table], table: pa.Table) -> list[pa.Table]:
        return [*found, table] if table.num_rows else found

    def merge_accumulators(self, parts: Iterable[list[pa.Table]]) -> list[pa.Table]:
        return [table for part in parts for table in part]

    def extract_output(self, found: list[pa.Table]) -> pa.Table:
        return withheld(found, self._apart)


def _join(items: beam.PCollection, buckets: int, most: int) -> beam.PCollection:
    """Return one (LINKS to the smallest label of each group, how many links were refused)."""
    keyed = {"keyed": items | "Keyed" >> beam.Map(_keyed)} | "FindLinks" >> JoinByBucket(
        {"keyed": "key"}, {"keyed": KEYED}, buckets, _find_links
    )
    looks = {"hashed": items | "BandKeys" >> beam.Map(_hashed)} | "FindAlike" >> JoinByBucket(
        {"hashed": "key"}, {"hashed": alike.HASHED}, buckets, _find_alike
    )
    sizes = {"keys": items | "LabelsOfItems" >> beam.Map(_sized)} | "CountLabels" >> JoinByBucket(
        {"keys": "key"}, {"keys": COUNTED}, buckets, _Common(1)
    )
    parts = {
        "links": (keyed, looks) | "Links" >> beam.Flatten() | "OneOfLinks" >> beam.Map(_for_one_worker),
        "sizes": sizes | "OneOfSizes" >> beam.Map(_for_one_worker),
    }
    return parts | "Together" >> beam.CoGroupByKey() | "SmallestOfLinked" >> beam.Map(_smallest, most)


def _items(rows: pa.Table) -> pa.Table:
    """Return ITEMS rows, distinct."""
    keys = [item_key(item_id) for item_id in rows["item_id"].to_pylist()]
    digests = pc.binary_slice(rows["digest"].combine_chunks().cast(pa.binary()), 0, 8).cast(pa.binary(8))
    prepared = rows["phash"].combine_chunks().is_valid()  # an error page is no photo
    digests = pc.if_else(prepared, digests, pa.scalar(None, pa.binary(8)))
    held = {"item_key": pa.array(keys, pa.binary(8)), "photo_key": digests}
    table = pa.table({name: held.get(name, rows[name] if name in rows.schema.names else None) for name in ITEMS.names})
    return table.cast(ITEMS).group_by(ITEMS.names).aggregate([])


def _counted(items: pa.Table) -> pa.Table:
    parts = [
        pa.table([items[name], pa.array([kind] * len(items), pa.int8()), items["item_key"], items["leaf"]], COUNTED)
        for name, kind in (("label", TITLE), ("group_key", GROUP), ("photo_key", PHOTO), ("phash", LOOK))
    ]
    table = pa.concat_tables(parts)
    return table.filter(table["key"].is_valid()).group_by(COUNTED.names).aggregate([])


@dataclass(frozen=True)
class _Common:
    most: int
    most_of_photo: int | None = None

    def __call__(self, _: int, tables: Tables) -> pa.Table:
        return common_keys(tables["keys"], self.most, self.most_of_photo)


def _together(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([COMMON.empty_table(), *tables]).sort_by([("kind", "ascending"), ("key", "ascending")])


def _without_common(items: pa.Table, common: pa.Table) -> pa.Table:
    return without_common(items, common)


def _keyed(items: pa.Table) -> pa.Table:
    """Return KEYED rows, distinct: the label of each row under its photo, by the first 8 bytes, and its group_id."""
    parts = [
        pa.table([items[name], pa.array([kind] * len(items), pa.int8()), items["label"]], KEYED)
        for name, kind in (("group_key", GROUP), ("photo_key", PHOTO))
    ]
    table = pa.concat_tables(parts)
    return table.filter(table["key"].is_valid()).group_by(KEYED.names).aggregate([])


def _find_links(_: int, tables: Tables) -> pa.Table:
    return find_links(tables["keyed"])


def _hashed(items: pa.Table) -> pa.Table:
    photos = items.filter(items["phash"].is_valid()).select(["phash", "label"])
    return alike.band_keys(photos.group_by(["phash", "label"]).aggregate([]))


def _find_alike(_: int, tables: Tables) -> pa.Table:
    found = alike.find_alike(tables["hashed"].group_by(alike.HASHED.names).aggregate([]))
    weakness = pc.add(found["distance"], pa.scalar(LOOK, pa.int8()))
    return pa.table([found["label"], found["other"], weakness], LINKS)


def _sized(items: pa.Table) -> pa.Table:
    kind = pa.array([TITLE] * len(items), pa.int8())
    table = pa.table([items["label"], kind, items["item_key"], items["leaf"]], COUNTED)
    return table.group_by(COUNTED.names).aggregate([])


def _for_one_worker(table: pa.Table) -> tuple[int, bytes]:
    return 0, to_ipc(table)


def _smallest(together: tuple[int, dict[str, Iterable[bytes]]], most: int) -> tuple[pa.Table, int]:
    parts = together[1]
    links = from_ipc(sorted(parts["links"]), LINKS).group_by(["label", "other"]).aggregate([("weakness", "min")])
    order = [("weakness_min", "ascending"), ("label", "ascending"), ("other", "ascending")]
    sizes = from_ipc(sorted(parts["sizes"]), COMMON).select(["key", "items"]).rename_columns(SIZES.names)
    return smallest_of_linked(links.sort_by(order).rename_columns(LINKS.names), sizes, most)


def _unlinked(refused: int, common: pa.Table, kept_back: pa.Table, keep: Callable[[dict[str, Any]], Any]) -> None:
    keys = zip(*(common[name].to_pylist() for name in ("kind", "key", "items", "leaves")), strict=True)
    named = kept_back.filter(pc.field("kind") == GROUP)["item_id"].to_pylist()
    found = {"refused": refused, "common": [[kind, key.hex(), *counts] for kind, key, *counts in keys]}
    keep(found | {"apart": sorted(item_key(item_id).hex() for item_id in named)})


def _relabel(_: int, tables: Tables) -> pa.Table:
    items = tables["items"]
    return pa.table([items["item_id"], relabel(items["label"], tables["groups"])], schema=LABELLED)


def _one_an_item(_: int, tables: Tables) -> pa.Table:
    items = first_of_each(tables["rows"], "item_id", [("item_id", "ascending")])
    known = first_of_each(tables["known"], "item_id", [("number", "ascending"), ("unit_id", "ascending")])
    at = pa.array([None if i < 0 else i for i in index_of(items["item_id"], known["item_id"])], pa.int64())
    return items.append_column(
        "known_split", known["split"].combine_chunks().take(at) if len(known) else pa.nulls(len(items), pa.string())
    )


@dataclass(frozen=True)
class _Assign:
    shares: Shares

    def __call__(self, _: int, tables: dict[str, pa.Table]) -> tuple[pa.Table, pa.Table]:
        rows = tables["rows"].sort_by("item_id")
        known = rows.filter(pc.field("known_split").is_valid()).rename_columns(["item_id", "label", "split"])
        table, new = assign_splits(rows, known, self.shares.val, self.shares.test)
        return table.cast(SPLITS), table.cast(SPLITS).filter(pa.array(new))
