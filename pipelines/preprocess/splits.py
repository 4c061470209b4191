"""Groups and splits in Beam: wires the pure functions of grouping.py over buckets."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.jobs.transforms import JoinByBucket, Tables, unit_keys
from pipelines.preprocess.groups import KEYED, LINKS, assign_splits, find_links, relabel, smallest_of_linked
from pipelines.store import Store, UnitTable, unit_id_of
from pipelines.tables.arrow import first_of_each, from_ipc, index_of, to_ipc
from pipelines.tables.schemas import SPLIT_KEYS

NAMED_SPLITS = unit_keys(SPLIT_KEYS)
LABELLED = pa.schema([("item_id", pa.string()), ("label", pa.binary(8))])
GROUPED = pa.schema([("item_id", pa.string()), ("label", pa.binary(8)), ("known_split", pa.string())])
SPLITS = pa.schema([("item_id", pa.string()), ("group", pa.binary(8)), ("split", pa.string())])


def group_and_split(
    rows: beam.PCollection, known: beam.PCollection, buckets: int, val_share: float, test_share: float
) -> beam.PCollection:
    """Return ((SPLITS of all items, SPLITS of the new ones)) a bucket of groups.

    `rows` are tables with item_id, label, group_key and digest, a row a photo. Links what shares a key, names whole
    groups by their smallest label, then gives them their splits.
    """
    links = {"keyed": rows | "Keyed" >> beam.Map(_keyed)} | "FindLinks" >> JoinByBucket(
        {"keyed": "key"}, {"keyed": KEYED}, buckets, _find_links
    )
    groups = (
        links
        | "Together" >> beam.Map(lambda table: (0, to_ipc(table)))
        | beam.GroupByKey()
        | "SmallestOfLinked" >> beam.MapTuple(lambda _, parts: smallest_of_linked(from_ipc(parts, LINKS)))
    )
    items = rows | "Items" >> beam.Map(lambda table: table.select(LABELLED.names))
    grouped = {"items": items, "groups": groups} | "Relabel" >> JoinByBucket(
        {"items": "label", "groups": "label"}, {"items": LABELLED, "groups": LINKS}, buckets, _relabel
    )
    by_item = {"rows": grouped, "known": known} | "JoinKnown" >> JoinByBucket(
        {"rows": "item_id", "known": "item_id"}, {"rows": LABELLED, "known": NAMED_SPLITS}, buckets, _one_an_item
    )
    return {"rows": by_item} | "AssignSplits" >> JoinByBucket(
        {"rows": "label"}, {"rows": GROUPED}, buckets, _Assign(val_share, test_share)
    )


def _keyed(rows: pa.Table) -> pa.Table:
    """Return KEYED rows, distinct: the label of each row under its photo, by the first 8 bytes, and its group_id."""
    digests = pc.binary_slice(rows["digest"].combine_chunks().cast(pa.binary()), 0, 8).cast(pa.binary(8))
    parts = [pa.table([keys, rows["label"]], schema=KEYED) for keys in (digests, rows["group_key"])]
    table = pa.concat_tables(parts)
    return table.filter(table["key"].is_valid()).group_by(KEYED.names).aggregate([])


def _find_links(_: int, tables: Tables) -> pa.Table:
    return find_links(tables["keyed"])


def _relabel(_: int, tables: Tables) -> pa.Table:
    items = tables["items"]
    return pa.table([items["item_id"], relabel(items["label"], tables["groups"])], schema=LABELLED)


def _one_an_item(_: int, tables: Tables) -> pa.Table:
    items = first_of_each(tables["rows"], "item_id", [("item_id", "ascending")])
    known = first_of_each(tables["known"], "item_id", [("unit_id", "ascending")])
    at = pa.array([None if i < 0 else i for i in index_of(items["item_id"], known["item_id"])], pa.int64())
    return items.append_column(
        "known_split", known["split"].combine_chunks().take(at) if len(known) else pa.nulls(len(items), pa.string())
    )


@dataclass(frozen=True)
class _Assign:
    val_share: float
    test_share: float

    def __call__(self, _: int, tables: dict[str, pa.Table]) -> tuple[pa.Table, pa.Table]:
        rows = tables["rows"].sort_by("item_id")
        known = rows.filter(pc.field("known_split").is_valid()).rename_columns(["item_id", "label", "split"])
        table, new = assign_splits(rows, known, self.val_share, self.test_share)
        return table.cast(SPLITS), table.cast(SPLITS).filter(pa.array(new))


def commit_splits(pair: tuple[pa.Table, pa.Table], store: Store) -> None:
    """Commit the splits of new items as a unit named by their ids."""
    new = pair[1]
    if new.num_rows:
        extra = {"code": pa.array([""] * len(new)), "row": pa.array([-1] * len(new), pa.int32())}
        keys = pa.table({**{name: new[name] for name in SPLITS.names}, **extra}, SPLIT_KEYS)
        UnitTable(store, "splits").commit(unit_id_of(new["item_id"].to_pylist()), keys)
