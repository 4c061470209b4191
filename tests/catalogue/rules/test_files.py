"""Which files of a feed are read: parts of one list, full lists of several days, files that are empty."""

import gzip

import pytest

from pipelines.errors import StageError
from tests.catalogue.rules.days import COLUMNS, NAMES, Days, row, rows
from tests.catalogue.shop import Shop

DATELESS = {key: value for key, value in COLUMNS.items() if key != "updated_at"}


def of_days(shop: Shop, *, files: str | None = None) -> Days:
    """A shop whose exports of several days are all kept."""
    section = {"snapshot": "products_*.csv", "columns": DATELESS, "max_rejected_share": 0.5}
    shop.write_config(catalogue={**section, "snapshot_files": files})
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
        'then the last by its name is read alone; or "all" if they are parts of one list'
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
    with pytest.raises(StageError, match=r"4 of the 4 items of the snapshot's 'products_1\.csv' stand in another"):
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


NOTHING = [b"", b"\xef\xbb\xbf", b"\n\n", gzip.compress(b"", mtime=0)]


@pytest.mark.parametrize("nothing", NOTHING)
def test_deltas_that_hold_nothing_yet_wait_with_a_note(with_deltas: Days, nothing: bytes) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(6))
    quiet = with_deltas.shop.root / "deltas" / "2.csv"
    quiet.write_bytes(nothing)
    said = "files of catalogue.deltas that hold nothing, and are not read until they do: 1, as '2.csv'"
    for _ in range(2):
        manifest = with_deltas.read()
        assert said in manifest["notes"]
        assert manifest["outputs"]["positions"]["deltas"] == "1.csv"
    with_deltas.delta("2.csv", row(7))
    assert with_deltas.read()["notes"] == []
    assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5 a6 a7"


def test_quiet_hours_before_the_last_deltas_are_told_of_once_and_again_when_they_hold_something(
    with_deltas: Days,
) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("2.csv", row(6))
    (with_deltas.shop.root / "deltas" / "1.csv").write_bytes(b"")
    assert "1, as '1.csv'" in with_deltas.read()["notes"][0]
    assert not any("1.csv" in note for note in with_deltas.read()["notes"])
    with_deltas.delta("1.csv", row(7))
    assert with_deltas.read()["notes"][1].startswith(
        "the file of deltas '1.csv' was never read, for it comes before '2.csv'"
    )


def test_deltas_that_were_read_and_hold_nothing_any_more_have_changed(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(6))
    with_deltas.read()
    (with_deltas.shop.root / "deltas" / "1.csv").write_bytes(b"")
    assert with_deltas.read()["notes"][1].startswith("the file of deltas '1.csv' has changed since it was read")


def test_first_deltas_that_hold_nothing_are_refused(shop: Shop) -> None:
    shop.write_config(catalogue={"snapshot": None, "deltas": "deltas/*.csv", "columns": COLUMNS})
    (shop.root / "deltas").mkdir()
    (shop.root / "deltas" / "1.csv").write_bytes(b"")
    words = r"catalogue\.deltas = 'deltas/\*\.csv' matches no file that holds anything; export them again"
    with pytest.raises(StageError, match=words):
        Days(shop).read()


@pytest.mark.parametrize("files", [None, "newest"])
def test_a_part_of_a_snapshot_that_holds_nothing_is_passed_over(shop: Shop, files: str | None) -> None:
    days = of_days(shop, files=files)
    for n in (0, 2):
        (shop.root / f"products_{n}.csv").write_bytes(b"")
    with pytest.raises(StageError, match=r"products_[02]\.csv is empty: it has no header and no rows"):
        days.read()
    shop.write_csv(rows(3), "products_1.csv", NAMES)
    manifest = days.read()
    assert (manifest["counts"]["items"], manifest["notes"]) == (
        3,
        ["files of catalogue.snapshot that hold nothing, and are not read until they do: 2, as 'products_0.csv'"],
    )
