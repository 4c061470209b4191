"""A snapshot is the state: what leaves it and comes back, what is older, and dates of the future."""

import os
from pathlib import Path

import pytest

from pipelines.errors import GateError, StageError
from tests.catalogue.rules.days import COLUMNS, NAMES, Days, row, rows
from tests.catalogue.shop import Shop


def test_an_item_that_comes_back_as_it_was_is_back(days: Days) -> None:
    days.read(*rows(6))
    assert days.read(*rows(6, without=(2,)))["counts"]["removed"] == 1
    assert days.ids() == "a0 a1 a3 a4 a5"
    assert days.read(*rows(6))["counts"]["added"] == 1
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_a_truncated_export_heals_itself_the_next_day(days: Days) -> None:
    days.read(*rows(8))
    with pytest.raises(GateError, match=r"the snapshot removes 5 of 8 items \(62\.5%\)"):
        days.read(*rows(3))
    days.read(*rows(3), accept="it was on a Friday")
    assert days.ids() == "a0 a1 a2"
    days.read(*rows(8))
    assert len(days.ids().split()) == 8


def test_without_a_column_of_times_the_same_holds(tmp_path: Path) -> None:
    days = Days(Shop(tmp_path))
    columns = {k: v for k, v in COLUMNS.items() if k != "updated_at"}
    days.shop.write_config(catalogue={"columns": columns})
    for n, feed in enumerate((rows(6), rows(6, without=(5,)), rows(6))):
        days.shop.write_csv(feed, columns=NAMES)
        os.utime(days.shop.root / "feed.csv", (1.7e9 + n, 1.7e9 + n))
        days.read()
        assert len(days.ids().split()) == len(feed)


def test_the_newest_item_may_leave(days: Days) -> None:
    days.read(*rows(6))
    assert days.read(*rows(5))["notes"] == []
    assert days.ids() == "a0 a1 a2 a3 a4"


def test_an_older_snapshot_is_refused_by_its_rows_and_applied_when_it_is_accepted(days: Days) -> None:
    days.read(*rows(6), *[row(6, "2026-11-20T08:00:00Z")])
    days.read(*[row(n, f"2026-11-2{n}T08:00:00Z", name=f"New {n}") for n in range(6)])
    words = (
        r"the snapshot is older than the one already read: by column 'at' 6 of its items are of an earlier time than "
        r"they were there, 0 of a later one; nothing was changed\. If it is to be the catalogue all the same, run again"
    )
    old = [*rows(6), row(6, "2026-11-20T08:00:00Z")]
    with pytest.raises(GateError, match=words):
        days.read(*old)
    days.read(*old, accept="the new one was of another shop")
    assert days.ids() == "a0 a1 a2 a3 a4 a5 a6"
    assert {one["title"] for one in days.shop.table("items")} == {f"Item {n}" for n in range(7)}


def test_a_date_that_is_mended_backwards_is_no_older_snapshot(days: Days) -> None:
    days.read(*rows(5), row(5, "2026-11-27T08:00:00Z", eur="1.00"))
    days.read(row(0, "2026-11-26T08:00:00Z"), *rows(5, without=(0,)), row(5, "2026-01-27T08:00:00Z", eur="2.00"))
    assert {one["item_id"]: one["price"] for one in days.shop.table("items")}["a5"] == 2.0


def test_one_date_that_is_corrected_among_rows_that_stay_is_no_older_snapshot(days: Days) -> None:
    days.read(*rows(6))
    days.read(row(0, "2026-11-02T08:00:00Z", name="corrected"), *rows(6, without=(0,)))
    assert "corrected" in {one["title"] for one in days.shop.table("items")}


def test_a_column_of_times_that_is_mapped_later_makes_no_snapshot_older(tmp_path: Path) -> None:
    days = Days(Shop(tmp_path))
    days.shop.write_config(catalogue={"columns": {k: v for k, v in COLUMNS.items() if k != "updated_at"}})
    days.read(*rows(6))
    days.shop.write_config(catalogue={"columns": COLUMNS})
    days.read(*rows(6), row(6))
    assert {one["updated_at"].day for one in days.shop.table("items")} == {10, 11, 12, 13, 14, 15, 16}


def test_an_older_file_is_told_by_its_time_where_rows_have_none(tmp_path: Path) -> None:
    days = Days(Shop(tmp_path))
    days.shop.write_config(catalogue={"columns": {k: v for k, v in COLUMNS.items() if k != "updated_at"}})
    for at, name in ((1.7e9, "new"), (1.6e9, "old")):
        days.shop.write_csv(rows(4, name=name), columns=NAMES)
        os.utime(days.shop.root / "feed.csv", (at, at))
        if name == "new":
            days.read()
    with pytest.raises(GateError, match="by the time of the file 4 of its items are of an earlier time"):
        days.read()
    days.read(accept="a backup")
    assert {one["title"] for one in days.shop.table("items")} == {"old"}


def test_a_row_of_the_future_is_a_reject_and_harms_nothing(days: Days) -> None:
    future = row(0, "2099-01-01")
    assert days.read(*rows(6))["rejects"] == {}
    second = days.read(future, *rows(6, without=(0, 2)))
    assert second["rejects"] == {"future_date": 1}
    assert second["notes"][0] == "1 of 5 rejected: future_date 1"
    assert "feed.csv:2: '2099-01-01' is more than a day ahead of 20" in second["notes"][1]
    assert second["notes"][2] == "items that keep the state they had, for their rows were rejected: 1, such as 'a0'"
    assert days.ids() == "a0 a1 a3 a4 a5"
    assert second["outputs"]["positions"]["snapshot"].startswith("2026-11-15")
    days.read(future, row(2, "2026-11-20T08:00:00Z"), *rows(6, without=(0, 2)))
    assert days.ids() == "a0 a1 a2 a3 a4 a5"
    days.read(row(0, "2026-11-21T08:00:00Z", name="mended"), *rows(6, without=(0,)))
    assert "mended" in {one["title"] for one in days.shop.table("items")}


def test_rows_that_say_their_items_are_gone_are_told_where_too_many_vanish(days: Days) -> None:
    said = (
        "rows of the snapshot that say their item is gone (catalogue.columns.deleted): {} of 6 ('1' {}); if some are "
        "not, take what that column says of them from catalogue.deleted_words"
    )
    with pytest.raises(StageError, match="no item is left in the catalogue; nothing was changed") as none:
        days.read(*rows(6, gone="1"))
    assert str(none.value).splitlines()[1:] == [said.format(6, 6)]
    days.read(*rows(6))
    with pytest.raises(GateError, match=r"the snapshot removes 5 of 6 items") as most:
        days.read(*rows(5, gone="1"), row(5))
    assert said.format(5, 5) in str(most.value).splitlines()
