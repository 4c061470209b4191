"""Groups and splits in Beam: wires the pure functions of grouping.py over buckets."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.grouping import LABELS, assign_splits, spread_label
from pipelines.shuffle import JoinByBucket
from pipelines.store import Store, UnitTable, unit_id_of
from pipelines.tables import SPLIT_KEYS, first_of_each, index_of

NAMED_SPLITS = pa.schema([*SPLIT_KEYS, ("unit_id", pa.string()), ("prefix", pa.string())])
GROUPED = pa.schema([("item_id", pa.string()), ("label", pa.binary(8)), ("known_split", pa.string())])


SPLITS = pa.schema([("item_id", pa.string()), ("group", pa.binary(8)), ("split", pa.string())])


def group_and_split(
    rows: beam.PCollection, known: beam.PCollection, buckets: int, val_share: float, test_share: float
) -> beam.PCollection:
    """Return ((SPLITS of all items, SPLITS of the new ones)) a bucket of groups.

    Passes the smallest label along photos and titles in turn, then gives whole groups their splits.
    """
    labels = rows | "Labels" >> beam.Map(lambda t: t.select(LABELS.names))
    for turn, key in enumerate(("digest", "title_key", "digest", "title_key")):
        keyed = labels | f"Keyed_{turn}" >> beam.Map(_with_key, key)
        labels = {"rows": keyed} | f"Spread_{turn}" >> JoinByBucket(
            {"rows": key}, {"rows": LABELS}, buckets, _Spread(key)
        )
    by_item = {"rows": labels, "known": known} | "JoinKnown" >> JoinByBucket(
        {"rows": "item_id", "known": "item_id"}, {"rows": LABELS, "known": NAMED_SPLITS}, buckets, _one_an_item
    )
    return {"rows": by_item} | "AssignSplits" >> JoinByBucket(
        {"rows": "label"}, {"rows": GROUPED}, buckets, _Assign(val_share, test_share)
    )


def _with_key(rows: pa.Table, key: str) -> pa.Table:
    """Give rows without a photo a key of their own, so that every row takes part in every turn."""
    if key != "digest" or not rows["digest"].null_count:
        return rows
    own = pa.array(
        [(d or (t * 4)) for d, t in zip(*(rows[n].to_pylist() for n in ("digest", "title_key")), strict=True)],
        pa.binary(32),
    )
    return rows.set_column(rows.schema.get_field_index("digest"), "digest", own)


@dataclass(frozen=True)
class _Spread:
    key: str

    def __call__(self, _: int, tables: dict[str, pa.Table]) -> pa.Table:
        return spread_label(tables["rows"], self.key)


def _one_an_item(_: int, tables: dict[str, pa.Table]) -> pa.Table:
    rows = spread_label(tables["rows"], "item_id")
    items = first_of_each(rows.select(["item_id", "label"]), "item_id", [("item_id", "ascending")])
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
