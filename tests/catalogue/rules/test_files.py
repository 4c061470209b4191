"""Which files of a feed are read: parts of one list, full lists of several days, files that are empty."""

import pytest

from pipelines.errors import StageError
from tests.catalogue.rules.days import COLUMNS, NAMES, Days, row, rows
from tests.catalogue.shop import Shop

DATELESS = {key: value for key, value in COLUMNS.items() if key != "updated_at"}


def of_days(shop: Shop, *, files: str | None = None, **more: object) -> Days:
    """A shop whose exports of several days are all kept."""
    shop.write_config(
        catalogue={
            "snapshot": "products_*.csv",
            "columns": DATELESS,
            "snapshot_files": files,
            "max_rejected_share": 0.5,
        }
        | more
    )
    return Days(shop)


def test_full_lists_of_several_days_are_refused_until_it_is_said_which_counts(shop: Shop) -> None:
    days = of_days(shop)
    shop.write_csv(rows(4), "products_9.csv", NAMES)
    days.read()
    shop.write_csv([*rows(4, without=(0,), eur="99.00"), row(7)], "products_10.csv", NAMES)
    with pytest.raises(StageError) as caught:
        days.read()
    assert str(caught.value) == (
        "3 of the 4 items of the snapshot's 'products_10.csv' stand in another of its files too, as in "
        "'products_9.csv'; nothing was changed. Set catalogue.snapshot_files = \"newest\" if each file is a full list: "
        'then the last one by its name is read alone; or "all" if they are parts of one list'
    )
    assert days.ids() == "a0 a1 a2 a3"
    of_days(shop, files="newest")
    manifest = shop.run("newest", "catalogue")["catalogue"]
    assert (manifest["rejects"], manifest["counts"]["removed"], days.ids()) == ({}, 1, "a1 a2 a3 a7")
    assert {one["item_id"]: one["price"] for one in shop.table("items")}["a1"] == 99.0
    assert shop.run("again", "catalogue")["catalogue"]["counts"]["in"] == 0


def test_the_newest_file_is_the_last_by_its_name_whenever_it_was_written(shop: Shop) -> None:
    days = of_days(shop, files="newest")
    for day in (10, 9):
        shop.write_csv([row(n) for n in range(day)], f"products_{day}.csv", NAMES)
    assert days.read()["counts"]["items"] == 10


@pytest.mark.parametrize("files", [None, "all"])
def test_parts_of_one_list_may_share_some_of_their_items(shop: Shop, files: str | None) -> None:
    days = of_days(shop, files=files)
    shop.write_csv(rows(4), "products_men.csv", NAMES)
    shop.write_csv([row(n) for n in (2, 3, 4, 5)], "products_women.csv", NAMES)
    assert days.read()["counts"]["items"] == 6


def test_files_that_add_photos_are_parts_when_it_is_said(shop: Shop) -> None:
    days = of_days(shop)
    shop.write_csv(rows(4), "products_1.csv", NAMES)
    shop.write_csv([row(n, image=f"q{n}.jpg") for n in range(4)], "products_2.csv", NAMES)
    with pytest.raises(StageError, match="4 of the 4 items of the snapshot's 'products_1.csv' stand in another"):
        days.read()
    of_days(shop, files="all")
    assert shop.run("all", "catalogue")["catalogue"]["counts"]["photos"] == 8


def test_rows_of_two_files_that_contradict_each_other_do_not_continue_each_other(shop: Shop) -> None:
    days = of_days(shop, files="all")
    shop.write_csv(rows(4), "products_1.csv", NAMES)
    shop.write_csv([row(3, name="other")], "products_2.csv", NAMES)
    days.read()
    [reject] = shop.table("rejects")
    assert reject["detail"] == (
        "item 'a3' stands in products_1.csv:5 already with other values and the same time; of the files of a snapshot "
        "the first one counts, unless catalogue.snapshot_files says which"
    )
