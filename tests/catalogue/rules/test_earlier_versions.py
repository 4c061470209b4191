"""Stores that an earlier version has left."""

import json
import shutil
from datetime import UTC, datetime
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.tables.schemas import DELETES
from tests.catalogue.rules.days import COLUMNS, NAMES, Days, row, rows
from tests.catalogue.shop import Shop

LATER = {"currency", "availability"}
"""Columns of items that an earlier version did not have."""
FUTURE = datetime(2099, 1, 1, tzinfo=UTC)


def make_older(shop: Shop, *, future: tuple[str, ...] = ()) -> None:
    """Turn a store into one of an earlier version, in which items may be of the year 2099, and the position too."""
    number, entry = shop.head()
    folder = shop.root / "store" / "catalogue" / entry["catalogue_id"]
    for table in ("origins", "waiting"):
        shutil.rmtree(folder / table, ignore_errors=True)
    (folder / "deltas.parquet").unlink(missing_ok=True)
    for path in (folder / "deletes").iterdir():
        gone = [
            {**one, "deleted_at": FUTURE if future else one["deleted_at"]} for one in pq.read_table(path).to_pylist()
        ]
        schema = DELETES.remove(DELETES.get_field_index("feed"))
        pq.write_table(pa.Table.from_pylist(gone, schema), path)
    for path in (folder / "items").iterdir():
        table = pq.read_table(path)
        held = [  # without what items did not have
            {**one, "updated_at": FUTURE if one["item_id"] in future else one["updated_at"]}
            for one in table.to_pylist()
        ]
        schema = pa.schema([field for field in table.schema if field.name not in LATER])
        pq.write_table(pa.Table.from_pylist(held, schema), path)
    files = [["snapshot", digest] for digest in entry["inputs"]["snapshot"]]
    entry["inputs"] = {"files": files, "mapping": {"columns": {}}, "limit": None}
    if future:
        entry["positions"]["snapshot"] = FUTURE.isoformat()
    (shop.root / "store" / "catalogue" / "log" / f"{number:08}.json").write_text(json.dumps(entry))


def test_a_store_of_an_earlier_version_is_read_and_what_was_lost_comes_back(days: Days) -> None:
    days.read(*rows(6))
    days.read(*rows(6, without=(2,)))
    make_older(days.shop)
    again = days.read()  # nothing is lost, and from now on it is known whose the items are
    assert (again["counts"]["items"], again["counts"]["removed"]) == (5, 0)
    days.read(*rows(6))
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_what_an_earlier_version_skipped_for_ever_comes_back_by_the_snapshot_that_is_there(days: Days) -> None:
    days.read(*rows(6))
    days.read(*rows(6, without=(2,)))
    days.shop.write_csv(rows(6), columns=NAMES)
    make_older(days.shop)
    number, entry = days.shop.head()
    entry["inputs"]["files"] = [["snapshot", sha256((days.shop.root / "feed.csv").read_bytes()).hexdigest()]]
    (days.shop.root / "store" / "catalogue" / "log" / f"{number:08}.json").write_text(json.dumps(entry))
    days.read()
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_a_store_that_has_a_date_of_the_future_heals_by_the_next_snapshot(days: Days) -> None:
    days.read(*rows(6))
    days.read(*rows(6, without=(2,)))
    make_older(days.shop, future=("a0",))
    days.read(*rows(6, without=(0,)), row(0, name="mended"))
    assert days.ids() == "a0 a1 a2 a3 a4 a5"
    items = {one["item_id"]: one for one in days.shop.table("items")}
    assert (items["a0"]["title"], items["a0"]["updated_at"].year) == ("mended", 2026)
    assert days.read(*rows(6, without=(0,)))["counts"]["removed"] == 1


def test_a_store_that_has_a_date_of_the_future_heals_by_deltas_too(with_deltas: Days) -> None:
    with_deltas.shop.write_config(catalogue={"snapshot": None, "deltas": "deltas/*.csv", "columns": COLUMNS})
    with_deltas.delta("1.csv", *rows(4))
    with_deltas.read()
    make_older(with_deltas.shop, future=("a0",))
    with_deltas.delta("2.csv", row(0, "2026-11-20T08:00:00Z", name="mended"))
    with_deltas.read()
    assert {one["item_id"]: one["title"] for one in with_deltas.shop.table("items")}["a0"] == "mended"


def test_deltas_and_a_snapshot_of_an_earlier_version(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(7, "2026-11-20T08:00:00Z"), row(1, "2026-11-20T08:00:00Z", gone="1"))
    with_deltas.read()
    make_older(with_deltas.shop)
    with_deltas.read()
    assert with_deltas.ids() == "a0 a2 a3 a4 a5 a7"
    with_deltas.delta("2.csv", row(8, "2026-11-21T08:00:00Z"))
    with_deltas.read()
    assert with_deltas.ids() == "a0 a2 a3 a4 a5 a7 a8"
